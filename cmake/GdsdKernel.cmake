# gdsd_kernel: kernels for CPUs, without torch. The same code compiled for three instruction sets.
get_filename_component(_root ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
file(GLOB KERNEL_SOURCES CONFIGURE_DEPENDS ${_root}/gdsd/kernel/*.cpp)
add_library(gdsd_kernel STATIC ${KERNEL_SOURCES})
target_include_directories(gdsd_kernel PUBLIC ${_root})
target_link_libraries(gdsd_kernel PRIVATE gdsd_warnings)
# GCC 12 warns about its own intrinsics (PR 105593), and about passing vectors, all of them inlined.
target_compile_options(gdsd_kernel PRIVATE -O3 -ffp-contract=fast -fno-math-errno
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized
    -Wno-uninitialized -Wno-psabi>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${_root}/gdsd/kernel/isa_avx2.cpp PROPERTIES
    COMPILE_OPTIONS "-mavx2;-mfma")
  set_source_files_properties(${_root}/gdsd/kernel/isa_avx512.cpp PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512bf16;-mfma;-mprefer-vector-width=512")
endif()
