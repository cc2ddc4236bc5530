// The page of a comparison: curves, a table, and one held-out problem solved step by step.
#pragma once

#include "cli/results.h"

namespace gdsd {

/// How the end of an answer is shown.
inline constexpr const char* kEnd = "∎";

/// One answer as it came to be: canvas[s][i] is what stood at place i after step s, "" if hidden.
struct Trace {
  Example problem;
  std::string completion;
  bool solved = false;
  std::vector<std::vector<std::string>> canvas;
};

/// Greedy answers of the base and of the trained model to the first held-out problem that the base
/// gets wrong and the trained model right; to the first of all if there is none.
struct BeforeAndAfter {
  Trace base, trained;
};
BeforeAndAfter trace_answers(const RunResult& run);

struct PageOptions {
  std::string note;    // a paragraph for the top, empty for none
  double seconds = 0;  // what all runs together took, 0 if unknown
};

/// A self-contained page.
std::string render_page(const std::vector<Method>& methods, const BeforeAndAfter& traces,
                        const PageOptions& options);

}  // namespace gdsd
