// `gdsd diagnose` as a whole, on a model too small to learn.
#include "gdsd/diagnose/diagnose.h"

#include <numeric>

#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

struct Models {
  TrainConfig config;
  Model old, present;
};

/// The base, and the same after a few steps of training, or again.
Models models(bool trained, int64_t top_k = 0) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  config.rollout.sampler.top_k = top_k;
  config.rollout.sampler.steps = 16;  // one token a step
  config.rollout.sampler.block_length = 4;
  config.optimizer.lr = 3e-3;
  if (trained) run(config);
  const Compute compute = open_compute(config.compute, config_of(base()).architecture.width);
  auto load = [&](const std::filesystem::path& from, Use use) {
    return load_of_run(base(), from, compute, use, config.lora, Key{});
  };
  return {
      config, load(base(), Use::kTraining),
      load(trained ? std::filesystem::path(config.run_dir) / "latest" : base(), Use::kInference)};
}

DiagnoseOptions few() {
  DiagnoseOptions o;
  o.prompts = o.problems = 2;
  o.group_size = 4;
  o.views = 2;
  o.draws = 3;
  o.gradient_draws = 2;
  o.compute = {.device = DeviceChoice::kCpu, .threads = 2};
  return o;
}

Diagnosis diagnosis(const Models& m, const DiagnoseOptions& o) {
  Subject subject{.old = *m.old.denoiser,
                  .present = *m.present.denoiser,
                  .tokenizer = *m.old.tokenizer,
                  .chat = ChatTemplate::kNone,
                  .task = m.config.task,
                  .rollout = m.config.rollout,
                  .objective = m.config.objective};
  subject.rollout.group_size = o.group_size;
  return diagnose(subject, o, [](const std::string&) {});
}

double sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

TEST(Diagnose, SaysOfEveryMethodWhatThereIsToSay) {
  const Diagnosis d = diagnosis(models(/*trained=*/true), few());
  EXPECT_EQ(d.rollouts, 8);
  ASSERT_TRUE(d.old && d.old->exact);  // 4 blocks of 2⁴ states
  EXPECT_GT((d.old->log_p - d.present->log_p).abs().max().item<double>(), 0);
  EXPECT_EQ(d.methods.size(), every_candidate().size());
  for (const MethodDiagnosis& m : d.methods) {
    SCOPED_TRACE(m.name);
    EXPECT_EQ(m.curve.at(m.own), m.views);
    EXPECT_EQ(m.score_old.size(), 8U);
    EXPECT_TRUE(std::isfinite(m.score->bias) && std::isfinite(m.change->bias));
    EXPECT_EQ(m.gradient.size(), m.curve.size());
    const bool until_eos = m.name.starts_with("wd1") || m.name.starts_with("tracerl");
    for (const Shares& s : {m.loss.old.gradient, m.loss.old.loss_weight}) {
      EXPECT_NEAR(sum(s.by_count), 1, 1e-9);
      EXPECT_TRUE(!until_eos || s.after_eos == 0);
    }
    EXPECT_NEAR(sum(m.loss.tokens), 1, 1e-9);
    const bool ppo = m.name.find("grpo") != std::string::npos || m.name.starts_with("espo") ||
                     m.name.starts_with("tracerl");
    EXPECT_EQ(m.loss.clipped.has_value(), ppo || m.name.find("gdsd") != std::string::npos);
    EXPECT_EQ(m.ratio_bias.has_value(), ppo);
    EXPECT_TRUE(!ppo || std::isfinite(*m.ratio_error));
    const bool draws_nothing = m.name == "diffu_grpo" || m.name == "tracerl";
    EXPECT_TRUE(!draws_nothing || m.score->reliability == 1);
  }
}

TEST(Diagnose, FindsNothingBetweenADenoiserAndItself) {
  const Diagnosis d = diagnosis(models(/*trained=*/false), few());
  EXPECT_EQ((d.old->log_p - d.present->log_p).abs().max().item<double>(), 0);
  for (const MethodDiagnosis& m : d.methods) {
    SCOPED_TRACE(m.name);
    EXPECT_LT(std::abs(m.change->bias), 1e-5);
    for (double sd : m.change_sd) EXPECT_LT(sd, 1e-5);
    EXPECT_LT(std::abs(m.ratio_bias.value_or(0)), 1e-5);
    EXPECT_LT(std::abs(m.ratio_error.value_or(0)), 1e-5);
    EXPECT_EQ(m.loss.clipped.value_or(0), 0);
  }
}

TEST(Diagnose, LeavesOutRolloutsThatTheNewDenoiserCannotMake) {
  DiagnoseOptions o = few();
  o.methods = "gdsd,espo";
  o.gradient_draws = 0;
  o.group_size = 16;
  const Models m = models(/*trained=*/true, /*top_k=*/4);
  EXPECT_EQ(m.present.denoiser->vocabulary().usable, m.old.tokenizer->size());
  const Diagnosis d = diagnosis(m, o);
  EXPECT_EQ(d.old->impossible(), 0);
  ASSERT_GT(d.present->impossible(), 0);  // of 32
  ASSERT_LT(d.present->impossible(), 30);
  for (const MethodDiagnosis& method : d.methods)
    for (double figure : {method.score->bias, method.change->bias, method.change->slope})
      EXPECT_TRUE(std::isfinite(figure)) << method.name;
}

// A trace whose prompt is hidden at random: as many views as steps, and draws of them differ.
TEST(Diagnose, OfATraceWithMasksHasDraws) {
  Models m = models(/*trained=*/false);
  TraceRlOptions own;
  own.masking.prompt_rate = 0.5;
  m.config.objective = own;
  DiagnoseOptions o = few();
  o.problems = 0;
  o.gradient_draws = 0;
  const Diagnosis d = diagnosis(m, o);
  EXPECT_EQ(d.methods[0].name, "tracerl*");
  EXPECT_EQ(d.methods[0].curve, std::vector<int64_t>{16});
  EXPECT_GT(d.methods[0].score_sd[0], 0);
}

TEST(Diagnose, OfASamplerWithoutLikelihoodLeavesItOut) {
  Models m = models(/*trained=*/false);
  m.config.rollout.sampler.steps = 4;
  DiagnoseOptions o = few();
  o.methods = "gdsd,wd1";
  EXPECT_TRUE(fails_with("rollout.sampler.steps is 4", [&] { diagnosis(m, o); }));
  o.problems = 0;
  const Diagnosis d = diagnosis(m, o);
  EXPECT_FALSE(d.old);
  ASSERT_EQ(d.methods.size(), 2U);
  EXPECT_FALSE(d.methods[0].score);
}

}  // namespace
}  // namespace gdsd
