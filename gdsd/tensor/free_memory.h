// How much memory a process may still take.
#pragma once

#include <filesystem>

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// Bytes: on a GPU what is free there, on a CPU free_host_memory().
int64_t free_memory(at::Device device);

/// Bytes: the least of what the machine has available and of what is left to the process's control
/// groups (version 1 or 2), by the files of Linux under `root`; of a group's pages those that only
/// cache files count as left. INT64_MAX where no file names a bound.
int64_t free_host_memory(const std::filesystem::path& root = "/");

}  // namespace gdsd
