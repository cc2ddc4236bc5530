// samplers/: what LLaDA's generate.py did step by step, and its schedules.
#include "gdsd/denoiser/model.h"
#include "gdsd/sampler/sampler.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// Why our sampler has no such trace, or "".
std::string not_covered(const json& fixture) {
  if (fixture.at("logits_eos_inf").get<bool>()) return "option logits_eos_inf";
  if (fixture.at("confidence_eos_eot_inf").get<bool>()) return "option confidence_eos_eot_inf";
  if (fixture.at("mask_id_predicted") != 0)
    return "a token revealed as the mask, which we never do";
  return "";
}

/// Compares the canvas after every step, at the tokens that are not padding.
void check_trace(const json& fixture, const path& folder) {
  const TensorMap golden = read_safetensors(folder / "llada_traces.safetensors");
  const std::string name = fixture.at("name");
  const Tensor trace = golden.at(name + ".x"), prompt = golden.at(name + ".prompt");
  const auto found = golden.find(name + ".attention_mask");
  const Tensor kept = found != golden.end() ? found->second.to(at::kBool)
                                            : at::ones_like(prompt, at::kBool);  // [B, P]
  const int64_t C = fixture.at("gen_length"), B = prompt.size(0);
  const auto model = load_denoiser(
      folder.parent_path() / "models" / fixture.at("model").get<std::string>() / "checkpoint",
      Compute{}, Use::kInference);
  const SamplerOptions o{.gen_length = C,
                         .block_length = fixture.at("block_length"),
                         .steps = fixture.at("steps_total"),
                         .temperature = 0,
                         .cfg_scale = fixture.at("cfg_scale")};
  const Packed prompts{prompt.masked_select(kept), to_vector<int64_t>(kept.sum(1))};
  const Samples out = sample(*model, prompts, o, std::vector<Key>(B));

  const Tensor tokens =
      out.sequences.tokens.index_select(0, tail_rows(out.sequences, C).flatten()).view({B, C});
  ASSERT_EQ(trace.size(0), o.steps + 1);
  for (int64_t s = 0; s <= o.steps; ++s) {
    const Tensor canvas = at::where(out.step < s, tokens, model->vocabulary().mask_id);
    EXPECT_TRUE(canvas.equal(trace[s].slice(1, prompt.size(1)))) << "after step " << s;
  }
}

void check_schedule(const json& fixture) {
  EXPECT_EQ(keep_counts(fixture.at("masked"), fixture.at("steps")),
            fixture.at("counts").get<std::vector<int64_t>>());
}

}  // namespace

void add_samplers(const path& folder) {
  const json traces = read_json(folder / "llada_traces.json"),
             schedules = read_json(folder / "schedules.json");
  check(!traces.at("cases").empty(), "no cases.");
  for (const json& fixture : traces.at("cases")) {
    const std::string why = not_covered(fixture), name = fixture.at("name");
    if (why.empty())
      add_test("Sampler", name, [=] { check_trace(fixture, folder); });
    else
      add_skip("Sampler", name, why);
  }
  for (const char* file : {"dream_traces", "numeric"})
    if (std::filesystem::exists(folder / (std::string(file) + ".json")))
      add_skip("Sampler", file, "Dream's samplers and filters");
  for (const auto& [kind, cases] : schedules.items())
    for (const json& fixture : cases) {
      const std::string name = concat(kind, "/", fixture.at("masked"), "/", fixture.at("steps"));
      if (kind == "llada_num_transfer")
        add_test("Schedule", name, [=] { check_schedule(fixture); });
      else
        add_skip("Schedule", name, kind);
    }
}

}  // namespace gdsd::golden
