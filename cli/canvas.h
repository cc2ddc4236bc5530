// The denoising as it happens: which tokens each step reveals, and a picture of it in the terminal.
#pragma once

#include <ostream>

#include "gdsd/sampler/sampler.h"
#include "gdsd/text/tokenizer.h"

namespace gdsd {

/// The completion tokens that a step revealed in one sequence of the batch.
struct Revealed {
  int64_t row = 0, step = 0;
  std::vector<int64_t> position, token;
};

/// Remembers what is hidden from one step to the next.
class UnmaskingOrder {
 public:
  UnmaskingOrder(int64_t B, int64_t C) : hidden_(at::ones({B, C}, at::kBool)) {}

  /// What is new since the last call, one entry for every sequence that something was revealed in.
  std::vector<Revealed> see(const StepView& view);

 private:
  Tensor hidden_;  // [B, C] bool
};

/// {"prompt": …, "step": …, "position": […], "token": […]}; `first` is the batch's first prompt.
std::string to_json(const Revealed& revealed, int64_t first);

/// Draws the first sequence of a batch: hidden cells as ░, what a step revealed highlighted. In a
/// terminal it is drawn again in place, elsewhere every step that reveals something is printed.
class Canvas {
 public:
  Canvas(std::ostream& out, bool terminal, const Tokenizer& tokenizer)
      : out_(out), terminal_(terminal), tokenizer_(tokenizer) {}

  void draw(const StepView& view, const std::vector<Revealed>& revealed);

  /// Leaves the last picture where it is; the next one is drawn below it.
  void finish();

 private:
  std::ostream& out_;
  bool terminal_;
  const Tokenizer& tokenizer_;
  size_t lines_ = 0;  // of the picture in the terminal
};

}  // namespace gdsd
