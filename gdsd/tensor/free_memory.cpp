#include "gdsd/tensor/free_memory.h"

#include <ATen/DeviceAccelerator.h>

#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

namespace gdsd {

namespace {

namespace fs = std::filesystem;

/// The number after `key` at the beginning of a line, or in a file of one number where `key` is "".
std::optional<int64_t> number_in(const fs::path& file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    int64_t value = 0;
    if (std::istringstream(line.substr(key.size())) >> value) return value;
  }
  return std::nullopt;
}

/// The files of one version of control groups.
struct GroupFiles {
  const char* mark;  // what stands in /proc/self/cgroup before the group's path
  const char* mount;
  const char* limit;
  const char* usage;
  const char* cached;  // in memory.stat: pages of files, not used of late
};
constexpr std::array<GroupFiles, 2> kVersions{
    {{":memory:", "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
      "total_inactive_file "},
     {"0::", "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "}}};

/// What is left to a group and to those that it lies in, up to the mount. A container sees its own
/// group at the mount, whatever path it is told.
int64_t left_to_groups(const fs::path& root, const GroupFiles& files, std::string path) {
  int64_t least = std::numeric_limits<int64_t>::max();
  while (true) {
    const fs::path group = root / files.mount / fs::path(path).relative_path();
    const auto limit = number_in(group / files.limit, ""),
               usage = number_in(group / files.usage, "");
    const int64_t cached = number_in(group / "memory.stat", files.cached).value_or(0);
    if (limit && usage) least = std::min(least, std::max<int64_t>(0, *limit - *usage + cached));
    if (path.empty() || path == "/") return least;
    path = fs::path(path).parent_path();
  }
}

}  // namespace

int64_t free_host_memory(const fs::path& root) {
  int64_t least = std::numeric_limits<int64_t>::max();
  if (const auto available = number_in(root / "proc/meminfo", "MemAvailable:"))
    least = *available * 1024;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    for (const GroupFiles& files : kVersions)
      if (const size_t at = line.find(files.mark); at != std::string::npos)
        least =
            std::min(least, left_to_groups(root, files, line.substr(at + std::strlen(files.mark))));
  return least;
}

int64_t free_memory(at::Device device) {
  if (device.is_cpu()) return free_host_memory();
  const auto index = device.has_index() ? device.index() : at::accelerator::getDeviceIndex();
  return static_cast<int64_t>(at::accelerator::getMemoryInfo(index).first);
}

}  // namespace gdsd
