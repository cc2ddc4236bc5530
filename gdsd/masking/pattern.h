// What each pattern hides of one rollout: text and torch know nothing of it, only counts and keys.
#pragma once

#include <span>
#include <vector>

#include "gdsd/masking/masking.h"

namespace gdsd {

/// One rollout as a pattern sees it.
struct Canvas {
  int64_t prompt = 0;             // P tokens
  int64_t size = 0;               // C completion tokens
  int64_t content = 0;            // c of them end with the first EOS
  std::span<const int64_t> step;  // [C] when each was revealed; empty unless traced
};

/// What a view of it hides.
struct Hiding {
  std::vector<bool> prompt;  // [P]
  std::vector<bool> hidden;  // [C]
  std::vector<bool> scored;  // [C] those hidden tokens that the pattern means to ask for
  double rate = 1;           // t: the chance of a token to be hidden
};

/// What view `view` hides. `count`: how many tokens a stratified view does. `blocks` is the same
/// for all views of a rollout, `row` is this view's alone.
Hiding hide(const Canvas& canvas, const MaskingOptions& options, int64_t view, int64_t count,
            Key blocks, Key row);

/// The last step of each bunch of `shrink` steps that revealed something, ascending: one view each.
std::vector<int64_t> traced_steps(std::span<const int64_t> step, int64_t shrink);

}  // namespace gdsd
