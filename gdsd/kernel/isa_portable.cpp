// Compiled with the flags that CMakeLists.txt gives this file.
#define GDSD_ISA portable
#include "gdsd/kernel/table.h"
