// samplers/: what LLaDA's generate.py did step by step, and its schedules.
#include "gdsd/denoiser/model.h"
#include "gdsd/sampler/sampler.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// A recorded run: prompts without their padding, the canvas after every step, and what each step
/// thought of its proposals.
struct Trace {
  TensorMap golden;
  std::string name;
  std::unique_ptr<Transformer> model;
  Packed prompts;
  Tensor canvas;            // [steps + 1, B, C]
  Tensor confidence;        // [steps, B, C]: −∞ where a token is not hidden
  Tensor candidate, count;  // [steps, B, C] (undefined in LLaDA's traces), [steps, B]
  double tolerance;

  Trace(const json& fixture, const path& folder, const std::string& file, const char* counts)
      : golden(read_safetensors(folder / (file + ".safetensors"))), name(fixture.at("name")) {
    const Tensor prompt = golden.at(name + ".prompt");  // [B, P]
    const auto found = golden.find(name + ".attention_mask");
    const Tensor kept =
        found != golden.end() ? found->second.to(at::kBool) : at::ones_like(prompt, at::kBool);
    prompts = {prompt.masked_select(kept), to_vector<int64_t>(kept.sum(1))};
    canvas = golden.at(name + ".x").slice(2, prompt.size(1));
    confidence = golden.at(name + ".confidence").slice(2, prompt.size(1));
    const auto tokens = golden.find(name + ".candidate");
    if (tokens != golden.end()) candidate = tokens->second.slice(2, prompt.size(1));
    count = golden.at(name + "." + counts);
    tolerance = read_json(folder / (file + ".json")).at("tolerance_confidence_max_abs");
    const path models = folder.parent_path() / "models";
    model = load_denoiser(models / fixture.at("model").get<std::string>() / "checkpoint", Compute{},
                          Use::kInference);
  }

  void expect_same_steps(const SamplerOptions& o) const {
    int64_t steps = 0;
    sample(*model, prompts, o, std::vector<Key>(prompts.size()), [&](const StepView& view) {
      ++steps;
      SCOPED_TRACE(concat("step ", view.step + 1));
      ASSERT_LT(view.step + 1, canvas.size(0));
      const Tensor seen =
          view.sequences.tokens.index_select(0, tail_rows(view.sequences, o.gen_length).flatten())
              .view({prompts.size(), o.gen_length});
      EXPECT_TRUE(seen.equal(canvas[view.step + 1]));
      expect_same_proposals(view, o);
    });
    EXPECT_EQ(canvas.size(0), steps + 1);
  }

  void expect_same_proposals(const StepView& view, const SamplerOptions& o) const {
    const Tensor expected = confidence[view.step], hidden = expected.isneginf().logical_not();
    EXPECT_TRUE(
        (view.kept_at == view.step).sum(1).equal(at::minimum(count[view.step], hidden.sum(1))));
    const Tensor asked = view.proposed >= 0;
    if (!asked.any().item<bool>()) {  // the denoiser is not called where nothing is to be kept
      EXPECT_EQ(count[view.step].sum().item<int64_t>(), 0);
      return;
    }
    EXPECT_TRUE(asked.equal(hidden));
    if (candidate.defined()) {
      EXPECT_TRUE(view.proposed.equal(candidate[view.step]));
    }
    if (!o.compat.emit_mask) return;  // where the mask is likeliest, another token is proposed
    const bool log = o.remasking == Remasking::kLowConfidence;  // ours of it; the reference has p
    const Tensor got = log ? view.score.exp() : view.score;
    expect_close(got.masked_select(hidden), expected.masked_select(hidden), 0, tolerance,
                 "confidence");
  }
};

/// null stands for "off".
template <class T>
T number_or(const json& value, T off) {
  return value.is_null() ? off : value.get<T>();
}

void check_llada(const json& fixture, const path& folder) {
  SamplerOptions o{
      .gen_length = fixture.at("gen_length"),
      .block_length = fixture.at("block_length"),
      .steps = fixture.at("steps_total"),
      .cfg_scale = fixture.at("cfg_scale"),
      .compat = {.emit_mask = true,  // as the reference does, whether it happens or not
                 .logits_eos_inf = fixture.at("logits_eos_inf"),
                 .confidence_eos_eot_inf = fixture.at("confidence_eos_eot_inf")}};
  o.compat.eos_id = number_or(fixture.at("eos_id"), int64_t{-1});
  o.compat.eot_id = number_or(fixture.at("eot_id"), int64_t{-1});
  const Trace trace(fixture, folder, "llada_traces", "num_transfer");
  trace.expect_same_steps(o);
  if (fixture.at("mask_id_predicted") != 0) return;
  o.compat.emit_mask = false;  // nor does it matter that we forbid it, where it does not happen
  trace.expect_same_steps(o);
}

Remasking dream_algorithm(const std::string& name) {
  const std::map<std::string, Remasking> names{{"maskgit_plus", Remasking::kLowConfidence},
                                               {"entropy", Remasking::kEntropy},
                                               {"topk_margin", Remasking::kMargin}};
  return names.at(name);
}

void check_dream(const json& fixture, const path& folder) {
  const int64_t C = fixture.at("gen_length");
  ASSERT_EQ(fixture.at("temperature"), 0);
  ASSERT_EQ(number_or(fixture.at("alg_temp"), 0.0), 0);
  Trace(fixture, folder, "dream_traces", "num_revealed")
      .expect_same_steps({.gen_length = C,
                          .block_length = C,
                          .steps = fixture.at("steps"),
                          .top_p = number_or(fixture.at("top_p"), 1.0),
                          .top_k = number_or(fixture.at("top_k"), int64_t{0}),
                          .remasking = dream_algorithm(fixture.at("alg")),
                          .confidence_of = ConfidenceOf::kProposal,
                          .schedule = Schedule::kTimesteps,
                          .epsilon = fixture.at("eps"),
                          .compat = {.emit_mask = true}});
}

/// Probabilities after temperature and filters, and what each algorithm thinks of a token.
void check_filter(const json& fixture, const path& folder) {
  const TensorMap golden = read_safetensors(folder / "numeric.safetensors");
  auto get = [&](const char* what) {
    return golden.at(fixture.at("name").get<std::string>() + "." + what);
  };
  const double temperature = fixture.at("temperature"), top_p = number_or(fixture.at("top_p"), 1.0);
  Tensor logits = golden.at("filter.logits");  // [n, V]
  const int64_t top_k = number_or(fixture.at("top_k"), int64_t{0});
  const Tensor probabilities =
      filter(temperature > 0 ? logits / temperature : logits, top_p, top_k).softmax(-1);
  // Row 2 has ties, and which of them are within top-p depends on the order of a sort.
  const Tensor rows = top_p < 1 ? at::tensor({0, 1}, at::kLong) : at::arange(logits.size(0));
  auto some = [&](const Tensor& x) { return x.index_select(0, rows); };
  expect_close(some(probabilities), some(get("probs")), 0, 2e-6, "probabilities");
  const Tensor unit = at::eye(logits.size(1));
  const Proposal x0 = propose(logits, unit,
                              {.temperature = temperature,
                               .top_p = top_p,
                               .top_k = top_k,
                               .confidence_of = ConfidenceOf::kProposal},
                              std::vector<Key>(logits.size(0)));
  auto probability_of = [&](const Tensor& token) {  // [n]
    return probabilities.gather(-1, token.unsqueeze(-1)).squeeze(-1);
  };
  // At a temperature the token is a draw of the reference's generator: ours is another.
  const Tensor unique = (logits == logits.amax(-1, true)).sum(-1) == 1;
  if (temperature == 0) {
    EXPECT_TRUE(x0.token.masked_select(unique).equal(get("x0").masked_select(unique)));
  }
  expect_close(some(x0.log_p.exp()), some(probability_of(x0.token)), 0, 2e-6, "log_p");
  expect_close(some(probability_of(get("x0"))), some(get("conf_maskgit_plus")), 0, 2e-6,
               "maskgit_plus");
  expect_close(some(x0.margin), some(get("conf_topk_margin")), 0, 2e-6, "topk_margin");
  expect_close(some(-x0.entropy), some(get("conf_entropy")), 0, 2e-6, "entropy");
}

/// Gumbel noise in float64 from given uniforms.
void check_gumbel(const json& fixture, const path& folder) {
  const TensorMap golden = read_safetensors(folder / "numeric.safetensors");
  const double T = fixture.at("temperature");
  const Tensor z = golden.at("gumbel.logits"), rest = 1 - golden.at("gumbel.u");
  const Tensor drawn = T > 0
                           ? gumbel_argmax(z, T, rest)
                           : propose(z, at::eye(z.size(1)), {}, std::vector<Key>(z.size(0))).token;
  EXPECT_TRUE(drawn.equal(golden.at(fixture.at("name").get<std::string>() + ".argmax")));
}

void check_schedule(const json& fixture) {
  EXPECT_EQ(keep_counts(fixture.at("masked"), fixture.at("steps")),
            fixture.at("counts").get<std::vector<int64_t>>());
}

void check_timesteps(const json& fixture) {
  const int64_t steps = fixture.at("steps");
  std::vector<int64_t> counts;
  int64_t hidden = fixture.at("masked");
  for (int64_t i = 0; i < steps; ++i) {
    counts.push_back(timestep_count(hidden, i, steps, fixture.at("eps")));
    hidden -= counts.back();
  }
  EXPECT_EQ(counts, fixture.at("counts").get<std::vector<int64_t>>());
}

void add_traces(const path& folder, const std::string& file,
                void (*run)(const json&, const path&)) {
  const json cases = read_json(folder / (file + ".json")).at("cases");
  check(!cases.empty(), "no cases.");
  for (const json& fixture : cases)
    add_test("Sampler", fixture.at("name"), [=] { run(fixture, folder); });
}

}  // namespace

void add_samplers(const path& folder) {
  add_traces(folder, "llada_traces", check_llada);
  add_traces(folder, "dream_traces", check_dream);
  const json numeric = read_json(folder / "numeric.json");
  for (const json& fixture : numeric.at("filters"))
    add_test("Filter", fixture.at("name"), [=] { check_filter(fixture, folder); });
  for (const json& fixture : numeric.at("gumbel"))
    add_test("Gumbel", fixture.at("name"), [=] { check_gumbel(fixture, folder); });
  const json schedules = read_json(folder / "schedules.json");
  for (const auto& [kind, cases] : schedules.items())
    for (const json& fixture : cases) {
      const std::string name = concat(kind, "/", fixture.at("masked"), "/", fixture.at("steps"));
      if (kind == "llada_num_transfer")
        add_test("Schedule", name, [=] { check_schedule(fixture); });
      else if (kind == "dream_num_revealed")
        add_test("Schedule", concat(name, "/", fixture.at("eps")),
                 [=] { check_timesteps(fixture); });
      else
        add_skip("Schedule", name, kind);
    }
}

}  // namespace gdsd::golden
