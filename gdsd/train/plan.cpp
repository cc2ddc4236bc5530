#include "gdsd/train/plan.h"

#include <c10/core/GradMode.h>

#include "gdsd/denoiser/model.h"
#include "gdsd/denoiser/peft.h"
#include "gdsd/masking/scores.h"
#include "gdsd/sampler/resident.h"
#include "gdsd/tensor/free_memory.h"
#include "gdsd/tensor/tally.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "gdsd/train/backward.h"
#include "gdsd/train/sampler_work.h"

namespace gdsd {

namespace {

constexpr int64_t kUncounted = 512;  // problems taken for all of a file
constexpr uint64_t kPrompts = 64;    // that are looked at for the longest
constexpr double kUnsure = 1.1;      // what is held may be so much more than planned

at::TensorOptions meta(at::ScalarType type) { return at::TensorOptions(at::kMeta).dtype(type); }

/// n sequences of L tokens.
Packed sequences(int64_t n, int64_t L) {
  return {at::empty({n * L}, meta(at::kLong)), std::vector<int64_t>(n, L)};
}

TensorMap weights(const Architecture& architecture, at::ScalarType type, bool trained) {
  TensorMap out;
  for (const auto& [name, shape] : tensor_shapes(architecture))
    out[name] = at::empty(shape, meta(type)).requires_grad_(trained);
  return out;
}

Adapter adapter_of(const Architecture& architecture, const TrainConfig& config) {
  Adapter out;
  const LoraOptions& lora = config.lora;
  const std::filesystem::path from = is_peft_folder(config.model) ? config.model : lora.from;
  if (!from.empty()) {
    out = read_peft(from, architecture, at::kMeta);
  } else if (lora.rank > 0) {
    for (int64_t i = 0; i < architecture.layers; ++i)
      for (Role role : target_roles(lora.targets, architecture.family)) {
        const auto [rows, columns] = matrix_shape(architecture, role);
        out.modules[matrix_name(architecture, i, role)] = {
            .A = at::empty({lora.rank, columns}, meta(at::kFloat)),
            .B = at::empty({rows, lora.rank}, meta(at::kFloat))};
      }
  }
  for (auto& [name, part] : out.modules) part.A.requires_grad_(), part.B.requires_grad_();
  return out;
}

/// Runs the phases of a step and notes how much each of them holds at most.
class Rehearsal {
 public:
  Rehearsal(const TrainConfig& config, const ModelConfig& model, const Compute& compute, int64_t P)
      : config_(config), compute_(compute), P_(P), C_(config.rollout.sampler.gen_length) {
    const bool adapted = is_adapted(config.model, config.lora);
    TensorMap parameters =
        weights(model.architecture, adapted ? compute.dtype : at::kFloat, !adapted);
    plan_.weights = tally_.meta();
    Adapter adapter = adapter_of(model.architecture, config);
    plan_.adapter = tally_.meta() - plan_.lasting();
    if (needs_reference(config.objective) && !adapted)
      reference_ = weights(model.architecture, compute.dtype, false);
    plan_.reference = tally_.meta() - plan_.lasting();
    Compute dry = compute;
    dry.device = at::kMeta;
    model_ = std::make_unique<Transformer>(model, std::move(parameters), dry, std::move(adapter));
    plan_.adapter += tally_.meta() - plan_.lasting();  // augmented matrices
    optimizer_ = std::make_unique<Optimizer>(model_->trainable(), config.optimizer, 1);
    plan_.optimizer = tally_.meta() - plan_.lasting();
  }

  Plan run();

 private:
  /// What `phase` holds at most beyond what lasts, for every worker.
  template <class F>
  int64_t most(F&& phase) {
    tally_.restart_peaks();
    const int64_t before = tally_.meta();
    phase();
    const int64_t peak = compute_.device.is_cpu() ? tally_.peak() : tally_.meta_peak();
    return (peak - before) * compute_.workers;
  }

  void sample(int64_t n, double temperature) const;
  Completed dry_rollouts(int64_t n) const;
  Tensor score(int64_t n, const MaskingOptions& options) const;
  int64_t learn(int64_t n, int64_t pieces);
  void count_flops();

  const TrainConfig& config_;
  const Compute compute_;
  const int64_t P_, C_;
  MemoryTally tally_;
  Plan plan_;
  TensorMap reference_;
  std::unique_ptr<Transformer> model_;
  std::unique_ptr<Optimizer> optimizer_;
};

/// The first step of a block, when most is hidden.
void Rehearsal::sample(int64_t n, double temperature) const {
  const at::NoGradGuard no_grad;
  const SamplerOptions& o = config_.rollout.sampler;
  const Packed x = sequences(n, P_ + C_);
  const int64_t R = n * o.block();
  const Rows rows{at::empty({R}, meta(at::kLong)), std::vector<int64_t>(n, o.block())};
  KeyValues kept[2];  // until the block's last step
  auto encode = [&](KeyValues& kept_here) {
    return o.cache == Cache::kNone ? model_->encode(x, rows)
                                   : model_->encode_within(x, rows, {}, kept_here);
  };
  Tensor states = encode(kept[0]);
  if (o.cfg_scale != 0) states = states + o.cfg_scale * (states - encode(kept[1]));
  // Tiles are alike, and the noise of each is drawn: two of them are enough.
  const int64_t some = std::min(R, 2 * std::max<int64_t>(1, kTile / model_->head().size(0)));
  propose(states.slice(0, 0, some), model_->head(),
          {.temperature = temperature,
           .top_p = o.top_p,
           .top_k = o.top_k,
           .noise = o.noise,
           .confidence_of = o.confidence_of,
           .banned = {0}},
          std::vector<Key>(some));
}

/// n rollouts whose tokens were revealed in even steps.
Completed Rehearsal::dry_rollouts(int64_t n) const {
  const Tensor step = at::arange(C_, at::kLong) * config_.rollout.sampler.calls() / C_;
  return {{at::zeros({n * (P_ + C_)}, at::kLong), std::vector<int64_t>(n, P_ + C_)},
          C_,
          std::vector<int64_t>(n, C_),
          step.to(at::kLong).expand({n, C_}).contiguous()};
}

Tensor Rehearsal::score(int64_t n, const MaskingOptions& options) const {
  Views views = mask(dry_rollouts(n), options, n, Key{});
  views.rollouts = sequences(n, P_ + C_);
  return log_probs(*model_, views);
}

/// Backward passes of n rollouts each; notes the activations of the first. → the most they hold.
int64_t Rehearsal::learn(int64_t n, int64_t pieces) {
  const int64_t held = most([&] {
    const int64_t before = tally_.meta();
    for (int64_t i = 0; i < std::min<int64_t>(pieces, 2); ++i) {  // the third is like the second
      const Tensor loss = score(n, masking(config_.objective)).sum();
      if (i == 0) plan_.activations = (tally_.meta() - before) * compute_.workers;
      loss.backward();
    }
  });
  // Every worker's gradients and their sum.
  int64_t gradients = 0;
  for (const auto& [name, tensor] : model_->trainable())
    gradients += static_cast<int64_t>(tensor.nbytes());
  return held + (compute_.workers > 1 ? gradients : 0);
}

void Rehearsal::count_flops() {
  const auto B = static_cast<double>(config_.rollout.prompts * config_.rollout.group_size);
  const auto L = static_cast<double>(P_ + C_);
  const Architecture& a = model_->architecture();
  plan_.rollout_flops =
      forward_flops(a, planned_work(config_.rollout.sampler, static_cast<int64_t>(B), L).asked);
  // As many passes and rows as one rollout's views have.
  const Views views = mask(dry_rollouts(1), masking(config_.objective), 1, Key{});
  const double passes = views.asked.any(-1).sum().item<double>(),
               rows = B * views.asked.sum().item<double>();
  const Asked asked{.sequences = B * passes, .length = L, .rows = rows};
  const double forward = forward_flops(a, asked);
  const auto inner = static_cast<double>(config_.inner_steps);
  const double first = compute_.reuse ? 1 : 0;  // whose old scores come with the gradient's
  const double looks = (needs_old(config_.objective) ? inner - first : 0) +
                       (needs_reference(config_.objective) ? inner : 0);
  plan_.scoring_flops = looks * forward;
  plan_.learning_flops = inner * (learning_flops(a, asked, adapter_ranks(*model_)) +
                                  (compute_.activation_checkpointing ? forward : 0));
}

Plan Rehearsal::run() {
  const int64_t B = config_.rollout.prompts * config_.rollout.group_size;
  auto piece = [&](int64_t n, int64_t batch) { return piece_size(n, batch, *model_); };
  const int64_t micro = piece(B, config_.micro_batch), share = piece(B, 0);
  plan_.rollout =
      most([&] { sample(piece(B, config_.rollout.batch), config_.rollout.sampler.temperature); });
  const EvaluationOptions& e = config_.eval;
  const int64_t asked = (e.problems > 0 ? e.problems : kUncounted) * e.samples;
  if (e.every > 0) plan_.evaluation = most([&] { sample(piece(asked, e.batch), e.temperature); });
  if (compute_.device.is_cuda() && compute_.graphs && is_resident(config_.rollout.sampler))
    plan_.graphs = plan_.rollout + plan_.evaluation;
  const ObjectiveOptions& o = config_.objective;
  plan_.scoring = most([&] {
    const at::NoGradGuard no_grad;
    const bool old = needs_old(o) && (config_.inner_steps > 1 || !compute_.reuse);
    if (old || needs_reference(o)) score(micro, masking(o));
    if (needs_elbo(o)) score(micro, advantage(o).elbo);
  });
  plan_.learning = learn(micro, (share + micro - 1) / micro);
  count_flops();
  return plan_;
}

}  // namespace

Plan make_plan(const TrainConfig& config, const ModelConfig& model, const Compute& compute,
               int64_t P) {
  return Rehearsal(config, model, compute, P).run();
}

int64_t longest_prompt(const TrainConfig& config) {
  const auto folder = tokenizer_folder(config.model);
  if (read_tokenizer_files(folder).empty()) return 0;
  const auto tokenizer = load_tokenizer(folder);
  const auto problems = problems_of(config.task, usable_chat(folder, *tokenizer));
  int64_t longest = 0;
  for (uint64_t i = 0; i < kPrompts; ++i) {
    const Example example = problems->draw(Split::kTrain, Key{}.fork("plan", i));
    longest = std::max(longest, std::ssize(tokenizer->encode(example.prompt)));
  }
  return longest;
}

bool needs_checkpointing(const TrainConfig& config, const ModelConfig& model,
                         const Compute& compute, int64_t P, int64_t memory) {
  Compute without = compute;
  without.activation_checkpointing = false;
  const auto peak = static_cast<double>(make_plan(config, model, without, P).peak());
  return kUnsure * peak > static_cast<double>(memory);
}

void settle_checkpointing(const TrainConfig& config, const ModelConfig& model, Existing existing,
                          Compute& compute) {
  if (config.compute.activation_checkpointing != Checkpointing::kAuto) return;
  Checkpointing& settled = compute.settled.activation_checkpointing;
  const auto stored = existing == Existing::kResume
                          ? stored_option(config.run_dir, "compute.activation_checkpointing")
                          : std::nullopt;
  if (!stored || !from_text(*stored, settled)) {
    const int64_t P = longest_prompt(config);
    const bool needed =
        P > 0 && needs_checkpointing(config, model, compute, P, free_memory(compute.device));
    settled = needed ? Checkpointing::kOn : Checkpointing::kOff;
  }
  compute.activation_checkpointing = settled == Checkpointing::kOn;
}

}  // namespace gdsd
