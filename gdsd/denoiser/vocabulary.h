// The ids that a model knows, and those that mean something to the code.
#pragma once

#include <cstdint>

namespace gdsd {

struct Vocabulary {
  int64_t size = 0;     // V: rows of the head
  int64_t usable = -1;  // ids that the tokenizer has, from 0 on; -1 for all of them
  int64_t mask_id = -1;
  int64_t eos_id = -1;
  int64_t pad_id = -1;
};

}  // namespace gdsd
