#include "gdsd/train/sampler_work.h"

#include <set>

#include "gdsd/sampler/resident.h"

namespace gdsd {

namespace {

/// The number of the call at which every token of a block was kept: step [B, c] → [B, c], from 0.
/// Steps that keep nothing call no denoiser.
Tensor call_of(const Tensor& step) {
  const Tensor flat = step.contiguous().flatten();
  const int64_t* at = flat.const_data_ptr<int64_t>();
  const std::set<int64_t> calls(at, at + flat.numel());
  std::vector<int64_t> out;
  for (int64_t i = 0; i < flat.numel(); ++i)
    out.push_back(std::distance(calls.begin(), calls.find(at[i])));
  return to_tensor(out).view(step.sizes());
}

/// The calls of all tokens among `calls` [B].
Tensor whole_calls(const SamplerOptions& o, const Tensor& calls) {
  if (o.cache == Cache::kNone) return calls;
  if (o.cache_refresh == 0) return at::ones_like(calls);
  return (calls + o.cache_refresh - 1).floor_divide(o.cache_refresh);
}

}  // namespace

SamplerWork sampler_work(const Tensor& step, const SamplerOptions& o, double L) {
  const int64_t steps = o.calls() * o.block() / o.gen_length;  // of a block
  SamplerWork out;
  out.asked.length = L;
  for (int64_t begin = 0; begin < o.gen_length; begin += o.block()) {
    Tensor kept = step.slice(1, begin, begin + o.block());  // [B, c]
    // What was kept as the mask is kept again in a later block, by that block's calls.
    if (o.threshold == 0) kept = kept.clamp_max((begin / o.block() + 1) * steps - 1);
    const Tensor made = call_of(kept) + 1;                             // [B, c]
    const Tensor calls = made.amax(1), whole = whole_calls(o, calls);  // [B]
    const int64_t window = o.cache == Cache::kDual ? o.block() : o.gen_length - begin;
    const auto all = whole.sum().item<double>(), some = (calls - whole).sum().item<double>();
    out.calls += calls.max().item<double>();
    out.asked.sequences += all + some;
    out.asked.tokens += all * L + some * static_cast<double>(window);
    out.asked.rows += made.sum().item<double>();
  }
  const double guided = o.cfg_scale != 0 ? 2 : 1;
  for (double* count : {&out.calls, &out.asked.sequences, &out.asked.tokens, &out.asked.rows})
    *count *= guided;
  return out;
}

SamplerWork planned_work(const SamplerOptions& o, int64_t B, double L) {
  SamplerOptions fixed = o;
  if (o.threshold > 0) fixed.steps = o.gen_length, fixed.schedule = Schedule::kEven;
  std::vector<int64_t> kept_at;
  for (int64_t begin = 0; begin < o.gen_length; begin += o.block())
    for (const ResidentStep& step : resident_steps(fixed))
      kept_at.insert(kept_at.end(), step.keep, step.number);
  SamplerWork out = sampler_work(to_tensor(kept_at).unsqueeze(0), o, L);
  for (double* count : {&out.asked.sequences, &out.asked.tokens, &out.asked.rows})
    *count *= static_cast<double>(B);
  return out;
}

}  // namespace gdsd
