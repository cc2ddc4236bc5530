// The files that a task's problems are read from, and in what order held-out ones are asked.
#pragma once

#include <array>
#include <string>

#include "gdsd/base/fields.h"

namespace gdsd {

enum class HeldOutOrder {
  kFile,     ///< every problem, as in the file
  kReleased  ///< the 256 that the released evaluations draw: NumPy's choice under seed 42
};
constexpr auto enum_names(HeldOutOrder) { return std::array{"file", "released"}; }

/// Members of a task's options, whose fields() lists them as its own.
struct TaskFiles {
  std::string train = {};
  std::string test = {};
  HeldOutOrder order = HeldOutOrder::kFile;

  template <class F>
  void fields(F&& f) {
    f("train", train,
      "file of training problems, from `gdsd data prepare`; none: generated, where a generator is");
    f("test", test,
      "file of held-out problems; none: generated, or the tenth of `train` that a hash picks");
    f("order", order,
      "of `test`: file, all as they stand; released, 256 by NumPy's choice under seed 42");
  }

  /// Throws FieldError for an order of no file. `has_generator`: the task does without files.
  void validate(bool has_generator) const;
};

}  // namespace gdsd
