// What the verbs that take CONFIG.yaml and key.path=value share.
#pragma once

#include "cli/verbs.h"
#include "gdsd/train/train.h"

namespace gdsd {

/// Throws Error for a config of `gdsd pretrain`.
TrainConfig load_train(const RunArguments& arguments);

/// Says on standard error how to go on, with the options that stood besides; → the exit code.
int say_interrupted(const RunArguments& arguments, const char* verb,
                    const std::vector<std::string>& options = {});

}  // namespace gdsd
