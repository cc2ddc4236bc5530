// gdsd data: files of problems, made, shown and generated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/verbs.h"

namespace gdsd {

struct DataArguments {
  std::vector<std::string>
      words;             // prepare TASK FILE…, show CONFIG|TASK [key=value…], generate TASK …
  std::string out = {};  // of prepare and generate: the file to write
  int64_t n = 0;         // problems; 0: 3 of show, 1000 of generate
  uint64_t seed = 1;     // of generate and show
  std::string split = "train";  // of show and generate: train | test
  std::string model = {};       // of show: the folder whose chat template is used
  bool force = false;           // overwrite `out`
};
int run_data(const DataArguments& arguments);

/// What the words of `gdsd data` are, and the keys of every task.
std::string data_keys();

}  // namespace gdsd
