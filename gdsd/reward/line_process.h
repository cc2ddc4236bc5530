// A program that is asked by a line on its standard input and answers by a line on its standard
// output.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

class LineProcess {
 public:
  /// Starts argv[0], looked for in PATH, in a process group of its own. Throws Error, naming it, if
  /// that fails.
  explicit LineProcess(const std::vector<std::string>& argv);

  /// Closes its standard input, by which it should end, and kills it if it has not in a second.
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  enum class Outcome { kAnswered, kEnded, kTooSlow };

  struct Reply {
    Outcome outcome = Outcome::kAnswered;
    std::string line;  // if answered, without the line break; of a megabyte and more not the whole
  };

  /// Writes the line, which has no line break, and reads the answer. After another outcome than
  /// kAnswered the program must not be asked again.
  Reply ask(std::string_view line, std::chrono::milliseconds limit);

  /// Ends the program. Says how it ended and the last lines it wrote to standard error: "exit status
  /// 1; its last words: …".
  std::string end();

 private:
  void read_some(int descriptor, std::string& into, bool& open);
  bool write_some(std::string_view& rest);

  int pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;  // our ends of its pipes, non-blocking
  bool out_open_ = true, err_open_ = true;
  std::string output_, errors_;  // read, but not yet answered; the end of what it complained
};

}  // namespace gdsd
