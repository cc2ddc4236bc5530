# libtorch as the PyPI wheel carries it, without its own TorchConfig.cmake, which insists on a CUDA
# toolkit and on linking the CUDA half.
#
#   TORCH_DIR      the wheel's torch/ folder; found through the project's .venv, or given
#   torch::cpu     imported target: headers, libtorch_cpu, libc10
#   TorchWheel_CUDA  the release of CUDA that the wheel was built with, "13"; empty if with none
#
# The CUDA half, when the wheel has it, is loaded at run time (gdsd/tensor/device.cpp), so that one
# binary serves machines with and without a GPU.
if(NOT TORCH_DIR)
  file(GLOB TORCH_DIR LIST_DIRECTORIES true
    ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
endif()
if(NOT EXISTS ${TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "libtorch not found in '${TORCH_DIR}'. Run `make setup`, or pass -DTORCH_DIR=…/site-packages/torch.")
endif()
file(STRINGS ${TORCH_DIR}/version.py _version REGEX "^__version__ ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" TorchWheel_VERSION "${_version}")
if(NOT TorchWheel_VERSION VERSION_EQUAL 2.11.0)
  message(FATAL_ERROR "torch ${TorchWheel_VERSION} at ${TORCH_DIR}; this version of gdsd is built and tested with 2.11.0.")
endif()
file(STRINGS ${TORCH_DIR}/version.py _cuda REGEX "^cuda")
string(REGEX MATCH "[0-9]+" TorchWheel_CUDA "${_cuda}")
foreach(_lib c10 torch_cpu)
  add_library(torchwheel::${_lib} SHARED IMPORTED)
  set_target_properties(torchwheel::${_lib} PROPERTIES IMPORTED_LOCATION ${TORCH_DIR}/lib/lib${_lib}.so)
endforeach()
add_library(torch_cpu_interface INTERFACE)
target_include_directories(torch_cpu_interface SYSTEM INTERFACE
  ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include)
target_link_libraries(torch_cpu_interface INTERFACE torchwheel::torch_cpu torchwheel::c10)
add_library(torch::cpu ALIAS torch_cpu_interface)
message(STATUS "torch ${TorchWheel_VERSION} at ${TORCH_DIR}")
