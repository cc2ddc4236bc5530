// gdsd merge and gdsd init: model folders from model folders.
#pragma once

#include <cstdint>

#include "cli/verbs.h"

namespace gdsd {

struct MergeArguments {
  std::string adapter, out, base;
};
int run_merge(const MergeArguments& arguments);

struct InitArguments {
  std::string like, out;
  std::string dtype = "bfloat16";
  uint64_t seed = 42;
  double shard_gb = 5;
};
int run_init(const InitArguments& arguments);

}  // namespace gdsd
