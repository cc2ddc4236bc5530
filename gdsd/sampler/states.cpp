#include "gdsd/sampler/states.h"

namespace gdsd {

void States::begin_block(int64_t begin, int64_t end) {
  begin_ = begin;
  end_ = end;
  calls_ = 0;
}

/// The block's tokens, and with `prefix` what comes after it.
Window States::window(const Packed& x) const {
  const auto offsets = x.offsets();
  const auto place = completion_.accessor<int64_t, 2>();
  Window out;
  for (int64_t b = 0; b < x.size(); ++b) {
    out.begin.push_back(place[b][begin_]);
    out.end.push_back(o_.cache == Cache::kDual ? place[b][end_ - 1] + 1 : offsets[b + 1]);
  }
  return out;
}

Tensor States::encode(const Packed& x, const Rows& rows, KeyValues& kept) const {
  return o_.cache == Cache::kNone ? denoiser_.encode(x, rows)
                                  : denoiser_.encode_within(x, rows, window(x), kept);
}

// With guidance the states are moved away from those of the same completion with its prompt hidden.
// The head is linear, so guiding states is guiding logits: l + s (l − l without prompt).
Tensor States::at(const Packed& x, const Rows& rows) {
  if (calls_ == 0 || (o_.cache_refresh > 0 && calls_ % o_.cache_refresh == 0)) kept_ = {};
  ++calls_;
  Tensor states = encode(x, rows, kept_[0]);  // [R, D]
  if (o_.cfg_scale == 0.0) return states;
  Packed promptless{at::full_like(x.tokens, denoiser_.vocabulary().mask_id), x.lengths};
  const Tensor completion = completion_.flatten().to(x.tokens.device());
  promptless.tokens.index_copy_(0, completion, x.tokens.index_select(0, completion));
  return states + o_.cfg_scale * (states - encode(promptless, rows, kept_[1]));
}

}  // namespace gdsd
