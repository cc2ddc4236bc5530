// gdsd bench: what this machine reaches of its own peak, phase by phase.
#pragma once

#include "cli/verbs.h"

namespace gdsd {

struct BenchArguments {
  std::vector<std::string> words;  // CONFIG.yaml and key.path=value
};
int run_bench(const BenchArguments& arguments);

/// Every key with its default and meaning.
std::string bench_keys();

}  // namespace gdsd
