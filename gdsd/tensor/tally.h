// Counting the memory of tensors: of those that are there, and of those that would be. A tensor on
// the meta device has a shape and no data; code that runs on meta tensors says what it would need.
#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstdint>
#include <memory>

namespace gdsd {

/// Bytes that this thread allocated for tensors since the tally began.
class MemoryTally {
 public:
  MemoryTally();

  int64_t meta() const;  // there now, on meta
  int64_t meta_peak() const;
  int64_t peak() const;  // on meta and on the CPU together

  /// The peaks begin again at what is there now.
  void restart_peaks();

 private:
  struct Counter;
  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

}  // namespace gdsd
