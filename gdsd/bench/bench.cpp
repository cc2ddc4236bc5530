#include "gdsd/bench/bench.h"

#include <ATen/Parallel.h>

#include <chrono>

#include "gdsd/base/progress.h"
#include "gdsd/bench/machine.h"
#include "gdsd/bench/work.h"
#include "gdsd/rollout/rollout.h"
#include "gdsd/train/sampler_work.h"

namespace gdsd {

namespace {

/// Σ weight · score of every rollout and view: [K, B, C] → [B, K] float32, on the CPU.
Tensor scores(const Tensor& log_p, const Tensor& weight) {
  return (log_p.cpu() * weight).sum(-1).t().to(at::kFloat).contiguous();
}

class Bench {
 public:
  Bench(const BenchOptions& options, const std::function<void(const std::string&)>& progress);
  BenchReport run();

 private:
  void warm_up();
  void repeat(int64_t n);
  void roll_out(int64_t n);
  std::vector<Tensor> look_back(const std::string& phase, const Denoiser& denoiser);
  Tensor learn(const Views& views, const Tensor& old, const Tensor& reference);
  Views views(int64_t i) const { return coupled_views(sequences_, masks_[i]); }
  void take_ids(const Packed& sequences);
  double scoring_rows() const {
    return static_cast<double>(o_.views * o_.batch * o_.sampler.gen_length);
  }
  Asked asked() const {
    return {.sequences = static_cast<double>(2 * o_.views * o_.batch),
            .length = static_cast<double>(L_),
            .rows = scoring_rows()};
  }

  /// Times work(), a call of `phase`.
  template <class F>
  PhaseTimes& timed(const std::string& phase, F&& work);

  const BenchOptions& o_;
  const std::function<void(const std::string&)>& progress_;
  const Compute compute_;
  const int64_t L_;
  Transformer model_;
  std::optional<Transformer> reference_;
  Optimizer optimizer_;
  const int64_t micro_;
  const ObjectiveOptions objective_ = GdsdOptions::released();
  Packed sequences_;  // P + C tokens each
  std::vector<Tensor> masks_;
  TensorMap dump_;
  std::map<std::string, PhaseTimes> phases_;
};

Bench::Bench(const BenchOptions& options, const std::function<void(const std::string&)>& progress)
    : o_(options),
      progress_(progress),
      compute_(open_compute(o_.compute, bench_config(o_).architecture.width)),
      L_(o_.prompt + o_.sampler.gen_length),
      model_(bench_model(o_, compute_)),
      optimizer_(model_.trainable(), o_.optimizer, o_.repeat * o_.inner),
      micro_(piece_size(o_.batch, 0, model_)) {
  const int64_t most = model_.architecture().max_length;
  check(L_ <= most, "[bench] prompt + sampler.gen_length is ", L_, ", but the model has ", most,
        " positions.");
  if (o_.has("ref")) reference_ = bench_reference(o_, compute_, model_);
  const Tensor ids = counted_ids(o_, model_.vocabulary().size);  // [B, L]
  sequences_ = {ids.flatten().to(compute_.device), std::vector<int64_t>(o_.batch, L_)};
  masks_ = bench_masks(o_, sequences_);
  dump_["prompt"] = ids.slice(1, 0, o_.prompt).contiguous();
  dump_["masks"] = at::stack(masks_);
  take_ids(sequences_);
}

void Bench::take_ids(const Packed& sequences) {
  sequences_ = sequences;
  dump_["ids"] = sequences.tokens.cpu().view({o_.batch, L_});
}

template <class F>
PhaseTimes& Bench::timed(const std::string& phase, F&& work) {
  using Clock = std::chrono::steady_clock;
  if (progress_) progress_(phase);
  wait_for(compute_.device);
  PeakMemory peak(compute_.device);
  const auto begin = Clock::now();
  work();
  wait_for(compute_.device);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  PhaseTimes& times = phases_[phase];
  times.phase = phase;
  times.seconds.push_back(seconds);
  times.peak_bytes = std::max(times.peak_bytes, peak.bytes());
  return times;
}

/// One pair of passes, with a gradient where training is timed.
void Bench::warm_up() {
  if (progress_) progress_("warm-up");
  if (!o_.has("train")) {
    score_views(&model_, nullptr, views(0), micro_);
    return;
  }
  const Tensor nothing = at::zeros({o_.views, o_.batch, o_.sampler.gen_length});
  learn(views(0), nothing, nothing);
  for (const auto& [name, tensor] : model_.trainable()) tensor.mutable_grad() = Tensor();
}

void Bench::roll_out(int64_t n) {
  Packed prompts{dump_.at("prompt").flatten().to(compute_.device),
                 std::vector<int64_t>(o_.batch, o_.prompt)};
  std::vector<Key> keys;
  for (int64_t b = 0; b < o_.batch; ++b)
    keys.push_back(Key{o_.seed + static_cast<uint64_t>(n)}.fork("rollout", b));
  Samples samples;
  PhaseTimes& times = timed("rollout", [&] {
    samples = sample_in_pieces(model_, prompts, o_.sampler, keys, /*most=*/0);
  });
  times.forwards = times.flops = 0;
  for (const Tensor& step : samples.step.split(micro_)) {  // each worker's calls are its own
    const SamplerWork work = sampler_work(step, o_.sampler, static_cast<double>(L_));
    times.forwards = std::max(times.forwards, work.calls);
    times.flops += forward_flops(model_.architecture(), work.asked);
  }
  times.tokens = static_cast<double>(o_.batch * o_.sampler.gen_length);
  if (n == 0) take_ids(samples.sequences);
  sequences_ = samples.sequences;
}

/// → log-probabilities [K, B, C] of every inner step; zeros where the phase is not asked for.
std::vector<Tensor> Bench::look_back(const std::string& phase, const Denoiser& denoiser) {
  std::vector<Tensor> out;
  for (int64_t i = 0; i < o_.inner; ++i) {
    PhaseTimes& times = timed(phase, [&] {
      out.push_back(score_views(&denoiser, nullptr, views(i), micro_).batch.log_p_old);
    });
    times.forwards = 2;
    times.tokens = static_cast<double>(2 * o_.views * o_.batch * L_);
    times.flops = forward_flops(model_.architecture(), asked());
  }
  return out;
}

/// → the mean loss; the gradient is in the model.
Tensor Bench::learn(const Views& of, const Tensor& old, const Tensor& reference) {
  const auto like = at::TensorOptions(compute_.device).dtype(at::kFloat);
  Scored pass{.views = of, .batch = {}};
  pass.batch.log_p_old = old.to(like);
  pass.batch.log_p_ref = reference.to(like);
  pass.batch.weight = of.weight.to(like);
  pass.batch.advantage = at::linspace(-1, 1, o_.batch, like);
  const Loss total = loss_and_gradient(model_, pass, objective_, micro_);
  return (total.sum / total.count).to(at::kCPU, at::kFloat);
}

void Bench::repeat(int64_t n) {
  if (o_.has("rollout")) roll_out(n);
  const std::vector<Tensor> nothing(o_.inner,
                                    at::zeros({o_.views, o_.batch, o_.sampler.gen_length}));
  const auto old = o_.has("old") ? look_back("old", model_) : nothing,
             reference = o_.has("ref") ? look_back("ref", *reference_) : nothing;
  std::vector<Tensor> losses(o_.inner, at::zeros({}));
  for (int64_t i = 0; o_.has("train") && i < o_.inner; ++i) {
    PhaseTimes& times = timed("train", [&] {
      losses[i] = learn(views(i), old[i], reference[i]);
      optimizer_.step(static_cast<double>(o_.batch));
    });
    times.forwards = 2;
    times.tokens = static_cast<double>(2 * o_.views * o_.batch * L_);
    times.flops = learning_flops(model_.architecture(), asked(), adapter_ranks(model_));
  }
  if (n > 0) return;
  auto stacked = [&](const std::vector<Tensor>& log_p) {
    std::vector<Tensor> parts;
    for (const Tensor& part : log_p) parts.push_back(scores(part, views(0).weight));
    return at::stack(parts);
  };
  dump_["old"] = stacked(old);
  dump_["ref"] = stacked(reference);
  dump_["loss"] = at::stack(losses);
}

BenchReport Bench::run() {
  const Architecture& a = model_.architecture();
  BenchReport report{.model = concat(to_text(a.family), ", ", a.layers, " layers, width ", a.width,
                                     ", ", human_count(parameter_count(a)), " parameters"),
                     .device = compute_.device.is_cuda()
                                   ? "cuda"
                                   : concat("cpu, ", compute_.settled.threads, " threads"),
                     .dtype = precision_name(compute_.dtype),
                     .phases = {}};
  for (const auto& [name, tensor] : model_.trainable()) report.trainable += tensor.numel();
  for (const auto& [name, tensor] : model_.parameters())
    report.weight_bytes += static_cast<int64_t>(tensor.nbytes());
  warm_up();
  report.peak = measure_peak(compute_, 0.25);
  release_freed_memory();  // of the warm-up and the products
  report.resident_before = resident_bytes();
  for (int64_t n = 0; n < o_.repeat; ++n) repeat(n);
  if (!o_.dump.empty()) write_safetensors(o_.dump, dump_);
  if (progress_) progress_("peak");
  // Before and after: another process may have taken part of the machine at one of the times.
  report.peak = std::max(report.peak, measure_peak(compute_, 0.25));
  for (const char* phase : kBenchPhases)
    if (phases_.contains(phase)) report.phases.push_back(phases_.at(phase));
  return report;
}

}  // namespace

BenchReport bench(const BenchOptions& options,
                  const std::function<void(const std::string&)>& progress) {
  options.validate();
  return Bench(options, progress).run();
}

}  // namespace gdsd
