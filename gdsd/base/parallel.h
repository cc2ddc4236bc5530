// Independent work on several threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace gdsd {

/// Runs work(0), …, work(n − 1) on `threads` threads; 0 and 1 mean the caller's own. Rethrows the
/// exception of the smallest index that threw: indices are taken in order and finished once taken,
/// so the others cannot hide it.
template <typename Work>
void for_each_index(size_t n, int threads, Work&& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  size_t failed = n;
  std::exception_ptr failure;

  const auto run = [&] {
    while (!stop) {
      const size_t i = next++;
      if (i >= n) return;
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) failed = i, failure = std::current_exception();
        stop = true;
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < threads; ++t) helpers.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gdsd
