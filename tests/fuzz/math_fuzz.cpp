// Judges the input as an answer: two parts between a zero byte are a completion and a gold.
#include <cstdlib>
#include <string>

#include "gdsd/reward/math.h"
#include "gdsd/reward/math_equal.h"

namespace gdsd {
namespace {

/// Stops the fuzzer unless `ok`.
void must(bool ok) {
  if (!ok) std::abort();
}

bool is_one_of(std::optional<double> reward, std::initializer_list<double> values) {
  for (double v : values)
    if (reward == v) return true;
  return false;
}

}  // namespace
}  // namespace gdsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {  // NOLINT: libFuzzer's
  using namespace gdsd;                                                    // NOLINT
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = std::min(input.find('\0'), input.size());
  const std::string completion(input.substr(0, zero)),
      gold(input.substr(std::min(zero + 1, input.size())));
  const Example example{.answer = gold};
  const Attempt attempt{.example = &example, .completion = completion, .generation = completion};
  must(is_one_of(math_reward(attempt), {0, 1}));
  must(is_one_of(math_boxed_released(attempt), {0, 2}));
  must(is_one_of(math_xml_released(attempt), {0, 2}));
  must(is_one_of(math_format_released(attempt), {0.25, 0.5, 0.75, 1}));
  math_eval_released(attempt);
  must(math_equal(completion, gold) == math_equal(gold, completion));
  return 0;
}
