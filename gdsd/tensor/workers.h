// Work done side by side. A narrow model cannot keep two cores busy with one product after another:
// its batches are cut into pieces instead, one for each core.
#pragma once

#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace gdsd {

/// Calls body(0), …, body(n − 1), each on a thread of its own but the first, and returns when all
/// are done. Gradient mode is a thread's own: the body sets it. If bodies throw, the first by index
/// is rethrown.
template <class F>
void run_workers(int64_t n, F&& body) {
  std::vector<std::exception_ptr> failures(n);
  auto guarded = [&](int64_t i) {
    try {
      body(i);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int64_t i = 1; i < n; ++i) threads.emplace_back(guarded, i);
    guarded(0);
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace gdsd
