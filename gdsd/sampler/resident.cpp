#include "gdsd/sampler/resident.h"

#include <c10/core/GradMode.h>

#include <limits>

#include "gdsd/sampler/canvas.h"
#include "gdsd/tensor/graph.h"
#include "gdsd/tensor/key_tensor.h"

namespace gdsd {

namespace {

/// A batch of certain lengths and options on the device, block after block. All that a block depends
/// on, but the denoiser, is in tensors that stay where they are.
class Resident {
 public:
  Resident(std::vector<int64_t> lengths, const SamplerOptions& options,
           const Vocabulary& vocabulary, at::Device device);

  /// A new batch, all hidden.
  void start(const Packed& canvas, std::span<const Key> keys);
  /// Denoises completion tokens begin … begin + L − 1.
  void block(const Denoiser& denoiser, int64_t begin, Recordings* recordings);
  Samples result() const {
    return {{x_.tokens.clone(), x_.lengths},
            kept_at_.to(at::kCPU, /*non_blocking=*/false,
                        /*copy=*/true)};
  }

 private:
  void draw_keys();
  void run(const Denoiser& denoiser);
  Tensor step(const Denoiser& denoiser, size_t i, const Tensor& place);
  Tensor scores(const Proposal& x0, size_t i, const Tensor& place) const;

  const SamplerOptions o_;
  const std::vector<ResidentStep> steps_;
  const ProposalOptions proposal_;
  const int64_t L_, calls_;  // tokens and steps of a block
  Packed x_;
  const Tensor completion_;        // [B, C] int64: where completion tokens lie in x_.tokens
  const Tensor begin_;             // [1] int64: the first completion token of the block
  const Tensor number_;            // [1] int64: the number of its first step
  const Tensor kept_at_;           // [B, C] int64
  Tensor keys_;                    // [B] int64
  const Tensor streams_;           // [steps, B, L] int64: the key of every token at every step
  const Tensor chance_;            // [steps, B, L] float64: what remasking draws
  bool seen_ = false;              // whether a block has run
  std::vector<Tensor> constants_;  // that a block, and its graph, reads
  std::unique_ptr<Graph> graph_;
};

bool draws_places(const SamplerOptions& o) {
  return o.remasking == Remasking::kRandom || o.remasking_temperature > 0;
}

Resident::Resident(std::vector<int64_t> lengths, const SamplerOptions& options,
                   const Vocabulary& vocabulary, at::Device device)
    : o_(options),
      steps_(resident_steps(options)),
      proposal_(proposal_options(options, vocabulary)),
      L_(options.block()),
      calls_(options.calls() * options.block() / options.gen_length),
      x_{at::empty({std::accumulate(lengths.begin(), lengths.end(), int64_t{0})},
                   at::TensorOptions(at::kLong).device(device)),
         std::move(lengths)},
      completion_(tail_rows(x_, options.gen_length)),
      begin_(at::zeros({1}, x_.tokens.options())),
      number_(at::zeros({1}, x_.tokens.options())),
      kept_at_(at::empty_like(completion_)),
      streams_(at::empty({std::ssize(steps_), x_.size(), L_}, x_.tokens.options())),
      chance_(at::empty(streams_.sizes(), x_.tokens.options().dtype(at::kDouble))) {}

void Resident::start(const Packed& canvas, std::span<const Key> keys) {
  x_.tokens.copy_(canvas.tokens);
  kept_at_.fill_(-1);
  keys_ = key_tensor(keys, x_.tokens.device());
}

/// The streams of every token of the block, named as Reverse names them.
void Resident::draw_keys() {
  if (o_.temperature == 0 && !draws_places(o_)) return;
  std::vector<int64_t> numbers;
  for (const ResidentStep& step : steps_) numbers.push_back(step.number);
  const Tensor step =
      (number_ + constant(numbers, at::kLong, number_.device())).unsqueeze(1);  // [steps, 1]
  const Tensor place = begin_ + at::arange(L_, begin_.options());               // [L]
  const Tensor at_step = fork(keys_.unsqueeze(0), "step", step);                // [steps, B]
  streams_.copy_(fork(at_step.unsqueeze(2), "position", place));
  if (draws_places(o_))
    chance_.copy_(first_uniform(fork(streams_, "remask", at::zeros({1}, place.options()))));
}

void Resident::block(const Denoiser& denoiser, int64_t begin, Recordings* recordings) {
  begin_.fill_(begin);
  number_.fill_(begin / L_ * calls_);
  draw_keys();
  if (!graph_) {
    HeldConstants held;
    if (seen_ && recordings)
      graph_ = recordings->record([this, &denoiser] { run(denoiser); });
    else
      run(denoiser);
    constants_ = held.take();
  }
  if (graph_) graph_->replay();
  seen_ = true;
}

void Resident::run(const Denoiser& denoiser) {
  // [B, n]: the block's tokens that are hidden, counted from its first.
  Tensor place = at::arange(L_, begin_.options()).expand({x_.size(), L_});
  for (size_t i = 0; i < steps_.size(); ++i) place = step(denoiser, i, place);
}

/// → [B, n] float64: how much each proposal deserves to be kept, larger first.
Tensor Resident::scores(const Proposal& x0, size_t i, const Tensor& place) const {
  auto chance = [&] { return chance_[static_cast<int64_t>(i)].gather(1, place); };
  const Tensor sure = o_.remasking == Remasking::kRandom
                          ? chance()
                          : confidence(x0, o_.remasking, {}).to(at::kDouble).view(place.sizes());
  const Tensor score = o_.remasking_temperature > 0
                           ? sure / o_.remasking_temperature - chance().log().neg().log()
                           : sure;
  return score.clamp_min(std::numeric_limits<double>::lowest());
}

/// Proposes the tokens at `place` [B, n] and keeps some. → [B, n − keep]: those still hidden.
Tensor Resident::step(const Denoiser& denoiser, size_t i, const Tensor& place) {
  const auto [number, hidden, keep] = steps_[i];
  const Tensor of_completion = begin_ + place;                   // [B, n]
  const Tensor at_token = completion_.gather(1, of_completion);  // [B, n]
  const Rows rows{at_token.flatten(), std::vector<int64_t>(static_cast<size_t>(x_.size()), hidden)};
  const Tensor states =
      guided_states(x_, denoiser.vocabulary().mask_id, completion_, o_.cfg_scale,
                    [&](const Packed& x, bool) { return denoiser.encode(x, rows); });
  const Tensor keys = streams_[static_cast<int64_t>(i)].gather(1, place).flatten();
  const Proposal x0 = propose(states, denoiser.head(), proposal_, keys);

  // Stable, so that equal scores resolve left to right on every device.
  const Tensor order =
      scores(x0, i, place).argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true);  // [B, n]
  const Tensor kept = order.slice(1, 0, keep), rest = order.slice(1, keep);
  const Tensor token = x0.token.view(place.sizes());
  x_.tokens.index_copy_(0, at_token.gather(1, kept).flatten(), token.gather(1, kept).flatten());
  kept_at_.scatter_(1, of_completion.gather(1, kept), (number_ + number).expand_as(kept));
  return place.gather(1, std::get<0>(rest.sort(1)));
}

/// What a recorded block depends on besides the model.
std::string name_of(const std::vector<int64_t>& lengths, const SamplerOptions& options,
                    const Vocabulary& vocabulary) {
  std::string name = concat("sampler ", at::IntArrayRef(lengths), ' ', vocabulary.usable);
  for (const Field& field : list_fields(options)) name += ' ' + field.text;
  return name;
}

}  // namespace

bool is_resident(const SamplerOptions& o) {
  return !o.approximate() && o.remasking != Remasking::kOrigin && !o.compat.emit_mask;
}

std::vector<ResidentStep> resident_steps(const SamplerOptions& o) {
  const int64_t steps = o.calls() * o.block() / o.gen_length;
  const auto even = keep_counts(o.block(), steps);
  std::vector<ResidentStep> out;
  int64_t hidden = o.block();
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t wanted =
        o.schedule == Schedule::kEven ? even[i] : timestep_count(hidden, i, steps, o.epsilon);
    const int64_t keep = std::min(hidden, wanted);
    if (keep > 0) out.push_back({i, hidden, keep});
    hidden -= keep;
  }
  return out;
}

Samples sample_resident(const Denoiser& denoiser, const Packed& prompts, const SamplerOptions& o,
                        std::span<const Key> keys) {
  const at::NoGradGuard no_grad;
  const Vocabulary& vocabulary = denoiser.vocabulary();
  const Packed canvas = append_masks(prompts, o.gen_length, vocabulary.mask_id);
  auto make = [&] {
    return std::make_shared<Resident>(canvas.lengths, o, vocabulary, canvas.tokens.device());
  };
  denoiser.refresh();
  Recordings* recordings = denoiser.recordings();
  const auto resident =
      recordings ? recordings->find<Resident>(name_of(canvas.lengths, o, vocabulary), make)
                 : make();
  resident->start(canvas, keys);
  for (int64_t begin = 0; begin < o.gen_length; begin += o.block())
    resident->block(denoiser, begin, recordings);
  return resident->result();
}

}  // namespace gdsd
