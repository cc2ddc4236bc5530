// The sampler on the device against the one that asks the host at every step.
#include "gdsd/sampler/resident.h"

#include <gtest/gtest.h>

#include "gdsd/tensor/key_tensor.h"
#include "tests/core/kernel_fixture.h"
#include "tests/core/operation_graph.h"

namespace gdsd {
namespace {

TEST(KeyTensor, ForksAndDrawsLikeKeys) {
  const auto keys = rollout_keys(5);
  const Tensor bits = key_tensor(keys, at::kCPU), index = at::tensor({0, 3, 1'000'000}, at::kLong);
  const Tensor forked = fork(bits.unsqueeze(1), "position", index), drawn = first_uniform(forked);
  for (int64_t b = 0; b < 5; ++b)
    for (int64_t i = 0; i < 3; ++i) {
      const Key key = keys[static_cast<size_t>(b)].fork(
          "position", static_cast<uint64_t>(index[i].item<int64_t>()));
      EXPECT_EQ(static_cast<uint64_t>(forked[b][i].item<int64_t>()), key.bits);
      EXPECT_EQ(drawn[b][i].item<double>(), uniform(key, 0));
    }
  EXPECT_EQ(to_keys(bits)[4].bits, keys[4].bits);
}

/// Prompts of these lengths.
Packed prompts_of(const std::vector<int64_t>& lengths, std::string_view name) {
  const int64_t N = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  return {random_tokens(N, 8, name), lengths};
}

/// Schedules, kinds of remasking, temperatures and guidance.
std::vector<SamplerOptions> many_options() {
  std::vector<SamplerOptions> all;
  for (int64_t steps : {4, 8, 12, 16, 32})
    for (auto schedule : {Schedule::kEven, Schedule::kTimesteps})
      for (auto remasking :
           {Remasking::kLowConfidence, Remasking::kEntropy, Remasking::kMargin, Remasking::kRandom})
        for (double temperature : {0.0, 0.7})
          all.push_back({.gen_length = 12,
                         .block_length = steps == 12 ? 12 : 3,
                         .steps = steps,
                         .temperature = temperature,
                         .remasking = remasking,
                         .schedule = schedule});
  SamplerOptions o = all[1];
  o.remasking_temperature = 0.5;
  all.push_back(o);
  o.cfg_scale = 1.5;
  all.push_back(o);
  o.top_p = 0.9;
  all.push_back(o);
  o.noise = Noise::kBf16Compat, o.top_p = 1;
  all.push_back(o);
  o.block_length = 0, o.steps = 0, o.compat.logits_eos_inf = true;
  all.push_back(o);
  return all;
}

void expect_equal(const Samples& a, const Samples& b, const std::string& name) {
  EXPECT_EQ(a.sequences.lengths, b.sequences.lengths) << name;
  EXPECT_TRUE(a.sequences.tokens.equal(b.sequences.tokens)) << name;
  EXPECT_TRUE(a.step.equal(b.step)) << name;
}

std::string text_of(const SamplerOptions& o) {
  std::string text;
  for (const Field& field : list_fields(SamplerOptions(o)))
    text += concat(field.path, '=', field.text, ' ');
  return text;
}

TEST(Resident, SamplesBitForBitWhatTheHostSamples) {
  const TableDenoiser table;
  const Transformer llada = tiny_llada();
  const Packed prompts = prompts_of({5, 9, 1, 5}, "prompts");
  const auto keys = rollout_keys(4);
  for (const SamplerOptions& o : many_options()) {
    ASSERT_TRUE(is_resident(o));
    for (const Denoiser* denoiser :
         {static_cast<const Denoiser*>(&table), static_cast<const Denoiser*>(&llada)})
      expect_equal(sample_resident(*denoiser, prompts, o, keys),
                   sample(*denoiser, prompts, o, keys), text_of(o));
  }
  for (const auto& family : families()) {
    const ModelConfig config = tiny_model_config(family);
    const Transformer model(config, init_weights(config.architecture, {5}), Compute{});
    const SamplerOptions o{
        .gen_length = 12, .block_length = 6, .steps = 6, .temperature = 1, .schedule = {}};
    expect_equal(sample_resident(model, prompts, o, keys), sample(model, prompts, o, keys), "");
  }
}

TEST(Resident, IsForSchedulesThatSayTheNumbers) {
  SamplerOptions o{.gen_length = 12, .block_length = 6, .steps = 4};
  EXPECT_EQ(resident_steps(o).size(), 2u);
  o.steps = 16;  // two more than tokens: they keep nothing
  EXPECT_EQ(resident_steps(o).size(), 6u);
  EXPECT_EQ(resident_steps(o).back().number, 5);
  o.threshold = 0.5;
  EXPECT_FALSE(is_resident(o));
  EXPECT_FALSE(is_resident({.remasking = Remasking::kOrigin, .schedule = Schedule::kTimesteps}));
  EXPECT_FALSE(is_resident({.compat = {.emit_mask = true}}));
}

/// A model whose blocks are recorded as libtorch's operations.
struct Recorded : Transformer {
  explicit Recorded(const Transformer& model) : Transformer(model) {}
  Recordings* recordings() const override { return all.get(); }

  std::shared_ptr<int64_t> graphs = std::make_shared<int64_t>(0);
  std::shared_ptr<Recordings> all =
      std::make_shared<Recordings>([graphs = graphs](const std::function<void()>& body) {
        ++*graphs;
        auto graph = std::make_unique<OperationGraph>(body);
        EXPECT_TRUE(graph->waits().empty()) << graph->waits()[0];
        EXPECT_GT(graph->size(), 100u);
        return graph;
      });
};

/// The plain operations of a model that knows nothing of its tokens: as on a GPU.
class ResidentGraph : public testing::Test {
 protected:
  void SetUp() override { use_kernels(KernelChoice::kOff); }
  void TearDown() override { use_kernels(before_); }

 private:
  KernelChoice before_ = kernels_in_use();
};

// Recorded in the second block, replayed for later blocks, prompts, keys and weights.
TEST_F(ResidentGraph, ReplaysABlockForOthersAndForOtherBatches) {
  for (const auto& family : families())
    for (auto remasking : {Remasking::kLowConfidence, Remasking::kRandom}) {
      const ModelConfig config = tiny_model_config(family);
      const Transformer plain(config, init_weights(config.architecture, {5}),
                              Compute{.reuse = false});
      const Recorded model(plain);
      const SamplerOptions o{
          .gen_length = 12, .block_length = 3, .steps = 8, .remasking = remasking};
      const auto keys = rollout_keys(5);
      for (const char* name : {"first", "second", "third"}) {
        const Packed prompts = prompts_of({5, 9, 1}, name);
        const auto some = std::span(keys).subspan(name[0] == 's' ? 2 : 0, 3);
        expect_equal(sample_resident(model, prompts, o, some), sample(plain, prompts, o, some),
                     name);
        EXPECT_EQ(*model.graphs, 1);
        const at::NoGradGuard no_grad;
        for (const auto& [_, weight] : plain.parameters()) weight.mul_(1.5);
      }
      SamplerOptions other = o;
      other.steps = 12;
      const Packed prompts = prompts_of({5, 9, 1}, "other");
      const auto some = std::span(keys).first(3);
      expect_equal(sample_resident(model, prompts, other, some),
                   sample(plain, prompts, other, some), "other");
      EXPECT_EQ(*model.graphs, 2);
    }
}

TEST(Recordings, KeepTheTwoLastUsed) {
  Recordings all({});
  int64_t made = 0;
  auto number = [&](const std::string& name) {
    return *all.find<int64_t>(name, [&] { return std::make_shared<int64_t>(++made); });
  };
  EXPECT_EQ(number("a"), 1);
  EXPECT_EQ(number("b"), 2);
  EXPECT_EQ(number("a"), 1);
  EXPECT_EQ(number("c"), 3);  // instead of b
  EXPECT_EQ(number("a"), 1);
  EXPECT_EQ(number("b"), 4);
}

}  // namespace
}  // namespace gdsd
