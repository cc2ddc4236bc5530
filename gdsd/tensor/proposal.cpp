#include "gdsd/tensor/proposal.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gdsd/base/fields.h"
#include "gdsd/tensor/gpu_kernels.h"
#include "gdsd/tensor/key_tensor.h"
#include "gdsd/tensor/random.h"

namespace gdsd {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// z [r, V] with the logits of `ids` at −∞; z itself where there are none.
Tensor without(const Tensor& z, const std::vector<int64_t>& ids) {
  if (ids.empty()) return z;
  return z.index_fill(1, to_tensor(ids, z.device()), kNever);
}

/// What may be proposed, of logits [r, V] after filtering. If filters left only banned tokens of a
/// row, the filters give way.
Tensor permitted(const Tensor& logits, const Tensor& filtered, const ProposalOptions& o) {
  auto ban = [&](const Tensor& z) {
    Tensor out = z.clone();
    for (int64_t id : o.banned) out.select(1, id).fill_(kNever);
    if (o.usable >= 0) out.slice(1, o.usable).fill_(kNever);
    return out;
  };
  const Tensor out = ban(filtered);
  if (filtered.is_same(logits)) return out;
  const Tensor nothing = out.amax(-1, /*keepdim=*/true) == kNever;
  return at::where(nothing, ban(logits), out);
}

/// argmax exp(z) / (−log u)^T with every operation rounded to bfloat16, u a multiple of 2⁻⁸ near 1
/// and never 1: add_gumbel_noise of the released trainers, which pass it the model's dtype.
Tensor bf16_draw(const Tensor& z, double temperature, std::span<const Key> keys) {
  Tensor u = uniform(keys, z.size(1)).to(at::kBFloat16);
  u = u.masked_fill(u == 1, 0).to(z.device());
  const Tensor noise = u.log().neg().pow(temperature);
  return (z.to(at::kBFloat16).exp() / noise).to(at::kFloat).argmax(-1);
}

/// What is drawn from softmax(allowed / temperature), and what log_p the tokens have.
struct Prepared {
  Tensor allowed;      // [r, V]
  double temperature;  // still to be divided by
  Tensor log_p;        // [r, V]
};
Prepared prepare(const Tensor& raw, const ProposalOptions& o) {
  const Tensor logits = without(raw, o.impossible);  // [r, V]
  const bool filters = o.top_p < 1 || o.top_k > 0;
  const bool scaled = o.temperature > 0 && (filters || o.confidence_of == ConfidenceOf::kProposal);
  const Tensor tempered = scaled ? logits / o.temperature : logits;
  const Tensor filtered = filters ? filter(tempered, o.top_p, o.top_k) : tempered;
  const Tensor& basis = o.confidence_of == ConfidenceOf::kModel ? logits : filtered;
  return {.allowed = permitted(tempered, filtered, o),
          .temperature = scaled ? 1 : o.temperature,
          .log_p = without(basis, o.unsure).log_softmax(-1)};
}

Proposal propose_tile(const Tensor& raw, const ProposalOptions& o, std::span<const Key> keys) {
  const auto [allowed, temperature, log_p] = prepare(raw, o);
  const Tensor token =
      o.temperature == 0 ? allowed.argmax(-1)  // the lowest id on ties
      : o.noise == Noise::kExact
          ? gumbel_argmax(allowed, temperature, uniform_rest(keys, allowed.size(1)))
          : bf16_draw(allowed, temperature, keys);
  const Tensor p = log_p.exp();  // [r, V]
  const Tensor two = std::get<0>(p.topk(std::min<int64_t>(2, p.size(1)), -1));
  return {.token = token,
          .log_p = log_p.gather(-1, token.unsqueeze(-1)).squeeze(-1),
          .entropy = -at::xlogy(p, p).sum(-1),
          .margin = two.select(-1, 0) - two.select(-1, two.size(1) - 1)};
}

bool is_plain(const ProposalOptions& o) {
  return (o.temperature == 0 || o.noise == Noise::kExact) && o.top_p >= 1 && o.top_k == 0 &&
         o.confidence_of == ConfidenceOf::kModel && o.impossible.empty() && o.unsure.empty();
}

/// Whether the kernels know all that is asked.
bool kernels_propose(const Tensor& hidden, const ProposalOptions& o) {
  return kernels_take(hidden) && (!hidden.is_cuda() || GpuKernels::can_ban(o.banned)) &&
         is_plain(o);
}

/// The id of the largest z_v/T + Gumbel noise: what gumbel_argmax finds, from few exact scores.
template <class T>
int64_t draw(const KernelsOf<T>& k, const T* z, int64_t V, double temperature, Key key) {
  const auto scores = scratch(V + 63);
  const std::unique_ptr<int32_t[]> candidates(new int32_t[V]);
  const int64_t n = k.table.gumbel_candidates(
      z, V, static_cast<float>(1 / temperature), static_cast<uint32_t>(key.bits),
      static_cast<uint32_t>(key.bits >> 32), scores.get(), candidates.get());
  int64_t best = 0;
  double most = kNever;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t v = candidates[i];
    const double noise = -std::log(-std::log1p(-uniform_rest(key, v)));
    const double score = static_cast<float>(z[v]) / temperature + noise;
    if (score > most) best = v, most = score;
  }
  return best;
}

void never(float& z) { z = static_cast<float>(kNever); }
void never(Bfloat16& z) { z.bits = 0xff80; }

/// One row of logits, which are changed, with the kernels for CPUs: as propose_tile to rounding.
template <class T>
void propose_row(const KernelsOf<T>& k, T* z, int64_t V, const ProposalOptions& o, Key key,
                 int64_t r, const Proposal& out) {
  const int64_t usable = o.usable < 0 ? V : std::min(V, o.usable);
  const RowSummary all = k.table.summarise(z, V, /*entropy=*/true);
  for (int64_t id : o.banned)
    if (id < usable) never(z[id]);
  const bool first = all.argmax < usable && std::ranges::count(o.banned, all.argmax) == 0;
  const int64_t token = o.temperature > 0 ? draw(k, z, usable, o.temperature, key)
                        : first           ? all.argmax
                                          : k.table.summarise(z, usable, /*entropy=*/false).argmax;
  auto p = [&](float logit) { return std::exp(logit - all.log_z); };
  out.token.template mutable_data_ptr<int64_t>()[r] = token;
  out.log_p.template mutable_data_ptr<float>()[r] = static_cast<float>(z[token]) - all.log_z;
  out.entropy.template mutable_data_ptr<float>()[r] = all.entropy;
  out.margin.template mutable_data_ptr<float>()[r] = p(all.largest) - p(all.second);
}

/// For rows of logits [R, V].
Proposal empty_proposal(const Tensor& logits) {
  const int64_t R = logits.size(0);
  const auto options = logits.options().dtype(at::kFloat);
  return {.token = at::zeros({R}, options.dtype(at::kLong)),
          .log_p = at::empty({R}, options),
          .entropy = at::empty({R}, options),
          .margin = at::empty({R}, options)};
}

/// Rows of logits [r, V] in any type, which are changed.
Proposal propose_on_cpu(const Tensor& logits, const ProposalOptions& o, std::span<const Key> keys) {
  const int64_t R = logits.size(0), V = logits.size(1);
  const Proposal out = empty_proposal(logits);
  with_kernels(logits, [&](const auto& k) {
    at::parallel_for(0, R, 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        propose_row(k, k.of(logits) + r * V, V, o, keys[r], r, out);
    });
  });
  return out;
}

/// The same on a GPU: keys [r] int64 there.
Proposal propose_on_gpu(const Tensor& logits, const ProposalOptions& o, const Tensor& keys) {
  const Proposal out = empty_proposal(logits);
  GpuKernels::for_tensor(logits).propose(logits, o, o.temperature > 0 ? keys : Tensor(), out);
  return out;
}

/// part(rows of hidden, begin, end) of tiles whose logits fit memory, one after another.
template <class F>
Proposal in_tiles(const Tensor& hidden, const Tensor& weight, int64_t tile, F&& part) {
  std::vector<Tensor> token, log_p, entropy, margin;
  for_each_tile(hidden.size(0), weight.size(0), fitting_tile(hidden, tile),
                [&](int64_t begin, int64_t end) {
                  const Proposal p = part(hidden.slice(0, begin, end), begin, end);
                  token.push_back(p.token);
                  log_p.push_back(p.log_p);
                  entropy.push_back(p.entropy);
                  margin.push_back(p.margin);
                });
  return {at::cat(token), at::cat(log_p), at::cat(entropy), at::cat(margin)};
}

}  // namespace

Tensor gumbel_argmax(const Tensor& z, double temperature, const Tensor& rest) {
  const Tensor gumbel = rest.neg().log1p_().neg_().log_().neg_();
  return (z.to(at::kDouble) / temperature + gumbel.to(z.device())).argmax(-1);
}

Proposals proposals(const Tensor& logits, const ProposalOptions& o) {
  check(o.temperature > 0 && o.noise == Noise::kExact, "[proposals] got temperature ",
        o.temperature, ", noise ", to_text(o.noise),
        ", expected a temperature above 0 and exact noise.");
  const Prepared z = prepare(logits, o);
  return {.q = (z.allowed.to(at::kDouble) / z.temperature).softmax(-1), .log_p = z.log_p};
}

Tensor filter(Tensor z, double top_p, int64_t top_k) {
  if (top_p < 1) {
    const auto [sorted, index] = z.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);
    const Tensor mass = sorted.softmax(-1).cumsum(-1);
    // A token goes if those before it hold more than top_p.
    const Tensor before = at::constant_pad_nd(mass.slice(-1, 0, -1), {1, 0});
    z = z.masked_fill(at::empty_like(before, at::kBool).scatter_(-1, index, before > top_p),
                      kNever);
  }
  if (top_k > 0 && top_k < z.size(-1)) {
    const Tensor least = std::get<0>(z.topk(top_k, -1)).slice(-1, top_k - 1);  // [R, 1]
    z = z.masked_fill(z < least, kNever);
  }
  return z;
}

Proposal propose(const Tensor& hidden, const Tensor& weight, const ProposalOptions& options,
                 std::span<const Key> keys, int64_t tile) {
  const int64_t R = hidden.size(0);
  check(static_cast<int64_t>(keys.size()) == R, "[propose] got ", keys.size(), " keys for ", R,
        " rows.");
  const bool kernels = kernels_propose(hidden, options);
  if (kernels && hidden.is_cuda())
    return propose(hidden, weight, options, key_tensor(keys, hidden.device()), tile);
  TileLogits logits(weight);
  return in_tiles(hidden, weight, tile, [&](const Tensor& rows, int64_t begin, int64_t end) {
    const auto streams = keys.subspan(begin, end - begin);
    return kernels ? propose_on_cpu(logits(rows), options, streams)
                   : propose_tile(wide_logits(rows, weight), options, streams);
  });
}

Proposal propose(const Tensor& hidden, const Tensor& weight, const ProposalOptions& options,
                 const Tensor& keys, int64_t tile) {
  check_shape(keys, {hidden.size(0)}, "propose");
  if (hidden.is_cuda() && kernels_propose(hidden, options)) {
    TileLogits logits(weight);
    return in_tiles(hidden, weight, tile, [&](const Tensor& rows, int64_t begin, int64_t end) {
      return propose_on_gpu(logits(rows), options, keys.slice(0, begin, end));
    });
  }
  // A greedy proposal draws nothing.
  const auto streams = options.temperature > 0 ? to_keys(keys) : std::vector<Key>(hidden.size(0));
  return propose(hidden, weight, options, streams, tile);
}

bool proposes_on_gpu(const Tensor& hidden, const ProposalOptions& options) {
  const bool greedy = is_plain(options) && options.temperature == 0;
  return hidden.is_cuda() && (greedy || kernels_propose(hidden, options));
}

}  // namespace gdsd
