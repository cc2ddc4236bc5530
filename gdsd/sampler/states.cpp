#include "gdsd/sampler/states.h"

#include "gdsd/sampler/canvas.h"

namespace gdsd {

void States::begin_block(int64_t begin, int64_t end) {
  begin_ = begin;
  end_ = end;
  calls_ = 0;
}

/// The block's tokens, and with `prefix` what comes after it.
Window States::window(const Packed& x) const {
  const auto offsets = x.offsets();
  Window out;
  for (int64_t b = 0; b < x.size(); ++b) {
    const int64_t end = offsets[b + 1], completion = end - o_.gen_length;
    out.begin.push_back(completion + begin_);
    out.end.push_back(o_.cache == Cache::kDual ? completion + end_ : end);
  }
  return out;
}

Tensor States::encode(const Packed& x, const Rows& rows, KeyValues& kept) const {
  return o_.cache == Cache::kNone ? denoiser_.encode(x, rows)
                                  : denoiser_.encode_within(x, rows, window(x), kept);
}

Tensor States::at(const Packed& x, const Rows& rows) {
  if (calls_ == 0 || (o_.cache_refresh > 0 && calls_ % o_.cache_refresh == 0)) kept_ = {};
  ++calls_;
  return guided_states(x, denoiser_.vocabulary().mask_id, completion_, o_.cfg_scale,
                       [&](const Packed& canvas, bool prompted) {
                         return encode(canvas, rows, kept_[prompted ? 0 : 1]);
                       });
}

}  // namespace gdsd
