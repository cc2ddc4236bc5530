// Compiled with the flags that CMakeLists.txt gives this file.
#define GDSD_ISA avx512
#include "gdsd/kernel/table.h"
