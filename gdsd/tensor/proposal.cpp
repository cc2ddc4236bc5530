#include "gdsd/tensor/proposal.h"

#include <limits>

#include "gdsd/base/fields.h"
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
  std::vector<Tensor> token, log_p, entropy, margin;
  for_each_tile(R, weight.size(0), tile, [&](int64_t begin, int64_t end) {
    const Proposal part = propose_tile(wide_logits(hidden.slice(0, begin, end), weight), options,
                                       keys.subspan(begin, end - begin));
    token.push_back(part.token);
    log_p.push_back(part.log_p);
    entropy.push_back(part.entropy);
    margin.push_back(part.margin);
  });
  return {at::cat(token), at::cat(log_p), at::cat(entropy), at::cat(margin)};
}

}  // namespace gdsd
