// The phases of a training step, each timed by itself on work of a given size: what a machine
// reaches of its own peak. The work is that of bench/reference.py, on the same token ids: rollouts
// of a block-wise sampler, scores of coupled complementary views under the old denoiser and the
// reference, and a step of GDSD as released (arXiv:2605.29398) with AdamW.
#pragma once

#include <functional>

#include "gdsd/denoiser/lora.h"
#include "gdsd/sampler/sampler.h"
#include "gdsd/train/optimizer.h"

namespace gdsd {

/// Sizes of a random model and of its work.
enum class BenchShape {
  kT,  // 1 M parameters: the demo's
  kS,  // 5 M
  kM,  // 134 M: GPT-2's
};
constexpr auto enum_names(BenchShape) { return std::array{"T", "S", "M"}; }

struct BenchOptions {
  BenchShape shape = BenchShape::kS;
  std::string model;
  LoraOptions lora{.rank = 8, .targets = "released", .from = {}};
  std::string phases = "rollout,old,ref,train";
  int64_t batch = 6;
  int64_t prompt = 200;
  int64_t views = 1;
  int64_t inner = 1;
  int64_t repeat = 3;
  uint64_t seed = 0;
  std::string masks;
  std::string json;
  std::string dump;
  SamplerOptions sampler{.gen_length = 256, .steps = 64, .temperature = 1.0};
  OptimizerOptions optimizer{.lr = 3e-6, .warmup = 0, .final_lr = 1};
  ComputeOptions compute;

  template <class F>
  void fields(F&& f) {
    f("shape", shape,
      "sizes of a random model and of its work: 1, 5 or 134 million parameters; sets what is not "
      "said of lora.rank, batch, prompt and sampler");
    f("model", model,
      "Hugging Face folder, of which no tokenizer is needed, in place of a random model");
    f("lora", lora, "rank=0 trains all weights");
    f("phases", phases,
      "some of rollout, old (scores of the denoiser), ref (of the reference) and train");
    f("batch", batch, "B: rollouts");
    f("prompt", prompt, "P: tokens of a prompt");
    f("views", views, "K: masked views of a rollout, each with its complement");
    f("inner", inner, "views that are drawn anew: calls of old, ref and train in a repetition");
    f("repeat", repeat, "repetitions of all phases, after one pair of passes that is not timed");
    f("seed", seed, "of noise, masks and random weights");
    f("masks", masks,
      "safetensors with `masks` [inner, K·B, C] in place of drawn ones, and `ids` [B, P + C] in "
      "place of counted ones where there is no rollout");
    f("json", json, "file for the figures");
    f("dump", dump,
      "new safetensors of what the first repetition computed: ids, masks, old, ref, loss");
    f("sampler", sampler, "");
    f("optimizer", optimizer, "");
    f("compute", compute, "");
  }
  void validate() const;

  /// With the sizes of a shape.
  static BenchOptions of(BenchShape shape);
  bool has(std::string_view phase) const;
};

inline constexpr std::array kBenchPhases{"rollout", "old", "ref", "train"};

/// Calls of one phase.
struct PhaseTimes {
  std::string phase;
  std::vector<double> seconds;  // of every call
  double tokens = 0;            // of a call: completion tokens made, or tokens of all passes
  double forwards = 0;          // of a call: passes of the whole batch
  double flops = 0;             // of a call (flops.h)
  int64_t peak_bytes = 0;       // most memory held during a call (machine.h)

  double median() const;
};

struct BenchReport {
  std::string model;               // "LLaDA, 5 layers, width 256, 4.8M parameters"
  std::string device;              // "cpu, 2 threads"
  std::string dtype;               // of products
  double peak = 0;                 // operations a second of a matrix product (machine.h)
  int64_t trainable = 0;           // numbers that are trained
  int64_t weight_bytes = 0;        // of the model as it is held, without adapter
  int64_t resident_before = 0;     // bytes in memory before the first timed call
  std::vector<PhaseTimes> phases;  // in the order of kBenchPhases
};

/// Times the phases; `progress` is told the phase before every call.
BenchReport bench(const BenchOptions& options,
                  const std::function<void(const std::string&)>& progress = {});

}  // namespace gdsd
