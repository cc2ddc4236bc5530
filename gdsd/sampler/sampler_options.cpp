#include "gdsd/sampler/sampler.h"

namespace gdsd {

void SamplerOptions::validate() const {
  check_count(gen_length, "gen_length", 1, 1'000'000);
  check_count(steps, "steps", 0, 1'000'000);
  check_field(block_length >= 0 && gen_length % block() == 0, "block_length", block_length,
              " does not divide gen_length ", gen_length, ".");
  const int64_t blocks = gen_length / block();
  check_field(steps >= 0 && calls() % blocks == 0, "steps", "got ", steps,
              ", expected a multiple of the ", blocks, " blocks (gen_length / block_length).");
  check_field(temperature >= 0, "temperature", "must not be negative, got ", temperature, ".");
  check_field(top_p > 0 && top_p <= 1, "top_p", "got ", top_p,
              ", expected more than 0, at most 1.");
  check_field(top_k >= 0, "top_k", "must not be negative, got ", top_k, ".");
  check_field(remasking_temperature >= 0, "remasking_temperature", "must not be negative, got ",
              remasking_temperature, ".");
  check_field(epsilon > 0 && epsilon < 1, "epsilon", "got ", epsilon, ", expected 0 < ε < 1.");
  check_field(threshold >= 0 && threshold <= 1, "threshold", "got ", threshold,
              ", expected a probability, or 0 for off.");
  check_field(threshold == 0 || remasking == Remasking::kLowConfidence, "threshold",
              "is of the probability of proposals: it goes with remasking low_confidence.");
  check_field(cache_refresh >= 0, "cache_refresh", "must not be negative, got ", cache_refresh,
              ".");
  check_field(cache_refresh == 0 || cache != Cache::kNone, "cache_refresh", "got ", cache_refresh,
              ", but there is no cache to refresh: it goes with cache prefix or dual.");
  check_field(cache == Cache::kNone || !compat.emit_mask, "cache", "is ", to_text(cache),
              ", but compat.emit_mask leaves tokens hidden that lie before the block, of which no "
              "states are made.");
  check_field(remasking != Remasking::kOrigin || schedule == Schedule::kTimesteps, "remasking",
              "origin goes with schedule timesteps, which says the probability to keep a token.");
  check_field(noise == Noise::kExact || (top_p == 1 && top_k == 0), "noise",
              "bf16_compat is LLaDA's sampler, which has neither top_p nor top_k.");
}

SamplerOptions SamplerOptions::exact() const {
  SamplerOptions out = *this;
  out.threshold = 0;
  out.cache = Cache::kNone;
  out.cache_refresh = 0;
  return out;
}

std::string SamplerOptions::describe() const {
  std::string text = concat(gen_length, " tokens in blocks of ", block(), ", ",
                            threshold > 0 ? "at most " : "", calls(), " denoising steps");
  if (threshold > 0) text += concat(", approximate: threshold ", threshold);
  if (cache != Cache::kNone)
    text += concat(threshold > 0 ? ", " : ", approximate: ", "cache ", to_text(cache));
  return text;
}

ProposalOptions proposal_options(const SamplerOptions& o, const Vocabulary& vocabulary) {
  ProposalOptions out{.temperature = o.temperature,
                      .top_p = o.top_p,
                      .top_k = o.top_k,
                      .noise = o.noise,
                      .confidence_of = o.confidence_of};
  if (!o.compat.emit_mask) {
    out.banned = {vocabulary.mask_id};
    // Padding has no place within a completion, and would be invisible in its text.
    if (vocabulary.pad_id >= 0 && vocabulary.pad_id != vocabulary.eos_id)
      out.banned.push_back(vocabulary.pad_id);
    out.usable = vocabulary.usable;
  }
  const int64_t eos = o.compat.eos_id >= 0 ? o.compat.eos_id : vocabulary.eos_id;
  if (o.compat.logits_eos_inf) out.impossible = {eos};
  // At a temperature the released code changes its noisy logits for EOS, and nothing reads those.
  if (o.compat.confidence_eos_eot_inf) out.unsure = {o.compat.eot_id};
  if (o.compat.confidence_eos_eot_inf && o.temperature == 0) out.unsure.push_back(eos);
  return out;
}

}  // namespace gdsd
