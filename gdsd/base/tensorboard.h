// TensorBoard event files, written by hand: records of protobuf messages between two checksums.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "gdsd/base/file.h"

namespace gdsd {

/// Scalars over steps, for `tensorboard --logdir`. Each writer makes a file of its own,
/// events.out.tfevents.<unix time>.<host>.<process>, that sorts after those already in the folder.
class EventWriter {
 public:
  /// `first_step` is the first that will be written: TensorBoard forgets that step and all later
  /// ones of earlier files, which a run that was killed may have left. The folder must exist.
  EventWriter(const std::filesystem::path& folder, int64_t first_step);

  void scalar(std::string_view tag, double value, int64_t step);

  /// Waits until everything written is on disk.
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

/// The message Event of one scalar. `wall_time` in seconds since 1970; the value becomes a float.
std::string scalar_event(double wall_time, int64_t step, std::string_view tag, double value);

/// A record as it stands in the file: length, checksum of the length, message, its checksum.
std::string event_record(std::string_view message);

}  // namespace gdsd
