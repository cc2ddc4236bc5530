#include "cli/verbs.h"
namespace gdsd { int run_compare(const CompareArguments&) { return 0; } }
