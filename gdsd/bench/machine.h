// What a machine can do at most, and how much memory the process has taken of it.
#pragma once

#include "gdsd/tensor/device.h"

namespace gdsd {

/// Operations a second of the fastest of some products [n, n] × [n, n] in the type and on the
/// threads of `compute`: one product after another, or one in every worker at the same time. For
/// about `seconds`.
double measure_peak(const Compute& compute, double seconds = 0.5);

/// Waits until the device has done all that it was given.
void wait_for(at::Device device);

/// Gives back to the system what the process has freed but kept.
void release_freed_memory();

/// The most memory held since a moment: on a CPU the process's resident set, and therefore with the
/// program itself; on a GPU what was allocated there. 0 where the system does not say.
class PeakMemory {
 public:
  explicit PeakMemory(at::Device device) : device_(device) { restart(); }
  void restart();
  int64_t bytes() const;

 private:
  at::Device device_;
  bool known_ = true;
};

/// Bytes of this process that are in memory now.
int64_t resident_bytes();

}  // namespace gdsd
