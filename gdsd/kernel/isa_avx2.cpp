// Compiled with the flags that CMakeLists.txt gives this file.
#define GDSD_ISA avx2
#include "gdsd/kernel/table.h"
