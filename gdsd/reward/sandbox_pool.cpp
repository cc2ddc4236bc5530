#include "gdsd/reward/sandbox_pool.h"

#include "gdsd/base/check.h"

namespace gdsd {
namespace {
constexpr int kMostFailures =
    10;                        // in a row, a second apart: memory or files may be short for a while
constexpr int kMostTries = 3;  // of processes that start and do not get ready
}  // namespace

SandboxPool::SandboxPool(size_t workers, SandboxStart player, SandboxStart judge)
    : workers_(workers),
      player_(std::move(player)),
      judge_(std::move(judge)),
      thread_([this] { serve(); }) {}

SandboxPool::~SandboxPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void SandboxPool::serve() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const bool judge = judges_.size() + judges_taken_ < workers_;
    const bool player = !judge && players_.size() < 2 * workers_;
    std::vector<Process> dead;  // those that the destructor need not wait for
    for (size_t i = dead_.size(); i-- > 0;)
      if (dead_[i]->exited()) {
        dead.push_back(std::move(dead_[i]));
        dead_.erase(dead_.begin() + static_cast<ptrdiff_t>(i));
      }
    if (!judge && !player && dead.empty()) {
      if (dead_.empty())
        work_.wait(lock);
      else
        work_.wait_for(lock, std::chrono::milliseconds(20));
      continue;
    }
    lock.unlock();
    dead.clear();
    Process started;
    std::string failure;
    try {
      if (judge || player) started = std::make_unique<SandboxProcess>(judge ? judge_ : player_);
    } catch (const std::exception& e) {
      failure = e.what();
    }
    lock.lock();
    failures_ = failure.empty() ? 0 : failures_ + 1;
    failure_ = failure;
    auto& list = judge ? judges_ : players_;
    if (started) list.insert(list.begin(), std::move(started));  // the oldest is taken first
    ready_.notify_all();
    if (!failure.empty())  // then try again
      work_.wait_for(lock, std::chrono::seconds(1), [this] { return stop_; });
  }
  // Here, since the end of this thread would kill bwrap before what it has to bury.
  for (auto* list : {&players_, &judges_, &dead_}) list->clear();
}

SandboxPool::Process SandboxPool::take(std::vector<Process>& from, bool is_judge) {
  for (int tries = 1;; ++tries) {
    Process process = take_one(from, is_judge);
    try {
      process->await_ready();
      return process;
    } catch (const Error&) {
      end(std::move(process), is_judge);
      if (tries == kMostTries) throw;
    }
  }
}

SandboxPool::Process SandboxPool::take_one(std::vector<Process>& from, bool is_judge) {
  Process process;
  {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return !from.empty() || failures_ >= kMostFailures; });
    check(!from.empty(), failure_);
    process = std::move(from.back());
    from.pop_back();
    judges_taken_ += is_judge ? 1 : 0;
  }
  work_.notify_one();
  return process;
}

void SandboxPool::give_back(Process judge) {
  {
    const std::lock_guard lock(mutex_);
    judges_.push_back(std::move(judge));
    --judges_taken_;
  }
  ready_.notify_all();
}

void SandboxPool::end(Process process, bool is_judge) {
  process->kill();
  {
    const std::lock_guard lock(mutex_);
    dead_.push_back(std::move(process));
    judges_taken_ -= is_judge ? 1 : 0;
  }
  work_.notify_one();
}

}  // namespace gdsd
