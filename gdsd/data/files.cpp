#include "gdsd/data/files.h"

namespace gdsd {

void TaskFiles::validate(bool has_generator) const {
  check_field(has_generator || !train.empty() || !test.empty(), "train",
              "names no file, nor does test: this task has no problems of its own. `gdsd data "
              "prepare` makes such files.");
  check_field(order == HeldOutOrder::kFile || !test.empty(), "order",
              "'released' is an order of the problems of `test`, which names no file.");
}

}  // namespace gdsd
