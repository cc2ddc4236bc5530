// Reinforcement learning learns: a model that knows nothing finds the digits that answers are made
// of, which is worth about 0.1.
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

/// The mean reward of steps begin + 1 … end.
double mean_reward(const Recorder& run, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += run.reports.at(i).metrics.at("reward");
  return sum / static_cast<double>(end - begin);
}

TEST(Learning, TheRewardRises) {
  PretrainConfig untaught = tiny_pretraining(fresh_folder("base"));
  untaught.steps = 1;
  untaught.optimizer.lr = 1e-9;
  Recorder quiet;
  pretrain(untaught, Existing::kResume, quiet);
  for (const char* objective : {"gdsd", "espo"}) {
    TrainConfig config = tiny_training(untaught.run_dir + "/latest", fresh_folder(objective));
    config.steps = 25;
    config.save_every = 25;
    config.rollout.prompts = 8;
    config.rollout.group_size = 8;
    config.rollout.sampler.steps = 1;
    config.optimizer = {.lr = 1e-2, .warmup = 1, .max_grad_norm = 1};
    config.eval = {.every = 0};
    assign(config, "objective.name", objective);
    const Recorder learnt = run(config);
    EXPECT_GT(mean_reward(learnt, 20, 25), mean_reward(learnt, 0, 2) + 0.06) << objective;
  }
}

}  // namespace
}  // namespace gdsd
