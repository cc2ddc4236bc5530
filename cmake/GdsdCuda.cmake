# gdsd_cuda: kernels for GPUs, without torch. Where there is no nvcc, or with -DGDSD_CUDA=OFF, a
# library of the same name that says it has none. GDSD_HAS_CUDA tells which.
#
# Real code for compute capability 8.0 and 9.0, and PTX for what comes after.
option(GDSD_CUDA "kernels for GPUs, where nvcc is" ON)
get_filename_component(_root ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
set(GDSD_HAS_CUDA OFF)
if(GDSD_CUDA AND NOT GDSD_SANITIZE AND NOT GDSD_TIDY)  # whose options nvcc does not know
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
    enable_language(CUDA)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # which CMake before 3.26 does not know of nvcc
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION --std=c++20)
    endif()
    find_package(CUDAToolkit REQUIRED)
    set(GDSD_HAS_CUDA ON)
  endif()
endif()
if(GDSD_HAS_CUDA)
  if(CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
  endif()
  add_library(gdsd_cuda STATIC ${_root}/gdsd/cuda/kernels.cu)
  set_target_properties(gdsd_cuda PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON
    CUDA_EXTENSIONS OFF)
  string(REPLACE ";" ", " _architectures "${CMAKE_CUDA_ARCHITECTURES}")
  target_compile_definitions(gdsd_cuda PRIVATE GDSD_CUDA_ARCHITECTURES="${_architectures}")
  # Random numbers are constexpr functions, which run on the GPU as they are.
  target_compile_options(gdsd_cuda PRIVATE --expt-relaxed-constexpr --Werror=all-warnings)
  target_link_libraries(gdsd_cuda PRIVATE CUDA::cudart_static)
else()
  add_library(gdsd_cuda STATIC ${_root}/gdsd/cuda/absent.cpp)
endif()
target_include_directories(gdsd_cuda PUBLIC ${_root})
