# gdsd_cuda_graph: CUDA graphs, a library that a process loads after libtorch's CUDA half; made where
# the CUDA toolkit is of the release that libtorch was built with. What it needs of that half and of
# CUDA's runtime is left undefined: it is to find those that the process has loaded, and no second
# runtime. Needs torch::cpu and gdsd_warnings.
get_filename_component(_root ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
find_package(CUDAToolkit QUIET)
if(CUDAToolkit_FOUND AND "${TorchWheel_CUDA}" VERSION_EQUAL CUDAToolkit_VERSION_MAJOR)
  add_library(gdsd_cuda_graph SHARED ${_root}/gdsd/cuda_graph/cuda_graph.cpp)
  target_include_directories(gdsd_cuda_graph PRIVATE ${_root})
  target_include_directories(gdsd_cuda_graph SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(gdsd_cuda_graph PRIVATE torch::cpu gdsd_warnings)
  set(CMAKE_BUILD_RPATH ${PROJECT_BINARY_DIR})  # where programs look for it
endif()
message(STATUS "CUDA graphs: libtorch's CUDA ${TorchWheel_CUDA}, toolkit ${CUDAToolkit_VERSION}")
