// Runs this program several times side by side.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gdsd {

struct Job {
  std::vector<std::string> arguments;  // of this program, from the verb on
  std::filesystem::path log;           // what it writes to standard output and error
};

/// Runs every job, at most `at_once` together; calls done(i, exit code) as each ends. Once a job
/// was interrupted no other is started, and the answer is false. SIGINT and SIGTERM to this process
/// go to the jobs, which save and end; if it ends all the same, they are told to.
bool run_jobs(const std::vector<Job>& jobs, int at_once,
              const std::function<void(size_t, int)>& done);

}  // namespace gdsd
