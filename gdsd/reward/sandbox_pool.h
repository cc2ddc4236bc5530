// Sandboxed processes that are started before they are needed.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gdsd/reward/sandbox_process.h"

namespace gdsd {

/// Keeps `workers` judges, which are used again, and twice as many players, each for one use.
/// Thread-safe. All processes are started by one thread of its own, since they die with the thread
/// that started them.
class SandboxPool {
 public:
  using Process = std::unique_ptr<SandboxProcess>;

  SandboxPool(size_t workers, SandboxStart player, SandboxStart judge);

  /// Kills every process that is not taken.
  ~SandboxPool();
  SandboxPool(const SandboxPool&) = delete;
  SandboxPool& operator=(const SandboxPool&) = delete;

  /// Of both: waits for one, and until it says that it is ready. Throws Error where none can be had
  /// though it was tried several times.
  Process take_player() { return take(players_, false); }
  Process take_judge() { return take(judges_, true); }

  /// A judge that waits for its next job.
  void give_back(Process judge);

  /// Ends a player or a judge, soon.
  void end_player(Process player) { end(std::move(player), false); }
  void end_judge(Process judge) { end(std::move(judge), true); }

 private:
  Process take(std::vector<Process>& from, bool is_judge);
  Process take_one(std::vector<Process>& from, bool is_judge);
  void end(Process process, bool is_judge);
  void serve();

  const size_t workers_;
  const SandboxStart player_, judge_;
  std::mutex mutex_;
  std::condition_variable work_, ready_;
  std::vector<Process> players_, judges_, dead_;
  size_t judges_taken_ = 0;
  int failures_ = 0;     // starts that failed in a row
  std::string failure_;  // why the last of them did
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace gdsd
