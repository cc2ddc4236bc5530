#include "gdsd/train/pretrain.h"

#include <unistd.h>

#include "gdsd/base/progress.h"
#include "gdsd/denoiser/init_weights.h"
#include "gdsd/masking/scores.h"
#include "gdsd/text/char_tokenizer.h"
#include "gdsd/train/backward.h"
#include "gdsd/train/summary.h"

namespace gdsd {

namespace {

/// On a CPU training holds a weight, its gradient and two moments, in float32.
void check_memory(const Architecture& architecture, const Compute& compute) {
  const double numbers = parameter_count(architecture),
               bytes = numbers * (compute.device.is_cpu() ? 16 : 4),
               memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(sysconf(_SC_PAGESIZE));
  check(bytes <= memory, "[architecture] a model of ", human_count(numbers), " parameters needs ",
        human_bytes(bytes), " of memory, and this machine has ", human_bytes(memory), ".");
}

/// A new model that spells the task's alphabet.
Model new_model(const PretrainConfig& config, const Problems& problems, const Compute& compute) {
  auto tokenizer = std::make_unique<CharTokenizer>(std::string(problems.alphabet()));
  const Vocabulary vocabulary{.size = tokenizer->size(),
                              .mask_id = CharTokenizer::kMask,
                              .eos_id = CharTokenizer::kEos,
                              .pad_id = CharTokenizer::kPad};
  ModelConfig made = make_model_config(config.architecture, vocabulary);
  check_memory(made.architecture, compute);
  TensorMap parameters = init_weights(made.architecture, Key{config.seed}.fork("init"));
  for (auto& [name, tensor] : parameters) tensor = tensor.to(compute.device).requires_grad_(true);
  return {std::make_unique<Transformer>(std::move(made), std::move(parameters), compute),
          std::move(tokenizer)};
}

Model open_model(const PretrainConfig& config, const Run& run, const Problems& problems,
                 const Compute& compute) {
  const auto folder = run.model_folder();
  if (!folder && config.model.empty()) return new_model(config, problems, compute);
  return load_of_run(config.model, folder.value_or(config.model), compute, Use::kTraining,
                     config.lora, Key{config.seed}.fork("lora"));
}

/// Demonstrations begin … end − 1 of a step, each a prompt and a canvas of C tokens.
Completed demonstrations(const Model& model, const Problems& problems, int64_t C, int64_t n,
                         Key key, at::Device device) {
  Packed out;
  std::vector<int64_t> tokens, eos;
  for (int64_t b = 0; b < n; ++b) {
    const Key row = key.fork("row", b);
    const Example example = problems.draw(Split::kTrain, row.fork("problem"));
    const auto prompt = model.tokenizer->encode(example.prompt);
    auto answer = model.tokenizer->encode(problems.demonstration(example, row.fork("answer")));
    check(static_cast<int64_t>(answer.size()) <= C, "[pretrain] a demonstration of ", answer.size(),
          " tokens does not fit sampler.gen_length ", C, ".");
    eos.push_back(std::ssize(answer));
    answer.resize(C, model.denoiser->vocabulary().eos_id);
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    tokens.insert(tokens.end(), answer.begin(), answer.end());
    out.lengths.push_back(static_cast<int64_t>(prompt.size()) + C);
  }
  out.tokens = to_tensor(tokens, device);
  return {std::move(out), C, std::move(eos), {}};
}

SummaryRows summarise(const PretrainConfig& config, const Model& model, const Compute& compute) {
  SummaryRows rows = summarise_model(*model.denoiser, compute);
  const auto task = std::visit([](const auto& t) { return t.kName; }, config.task);
  rows.emplace_back("data", concat(task, ", ", config.batch, " fresh demonstrations a step"));
  rows.emplace_back("memory", training_memory(*model.denoiser, compute, /*reference=*/false));
  rows.emplace_back("run folder", config.run_dir);
  return rows;
}

}  // namespace

void PretrainConfig::validate() const {
  RunOptions::validate();
  check_count(batch, "batch", 1, 1'000'000);
  check_field(micro_batch >= 0, "micro_batch", "must not be negative, got ", micro_batch, ".");
  check_field(!model.empty() || !lora.active(), "lora", "an adapter needs a model to adapt.");
}

Outcome pretrain(const PretrainConfig& asked, Existing existing, Observer& observer) {
  const int64_t width = asked.model.empty()
                            ? make_model_config(asked.architecture, {}).architecture.width
                            : config_of(asked.model).architecture.width;
  const Compute compute = open_compute(asked.compute, width);
  PretrainConfig config = asked;
  config.compute = compute.settled;
  Run run(config, list_fields(config), config.model, existing, observer);
  if (run.finished()) return run.leave(), Outcome::kDone;
  const auto problems =
      problems_of(config.task, config.model.empty() ? ChatTemplate::kNone : chat_of(config.model));
  const Judge judge(config.task);
  const Model model = open_model(config, run, *problems, compute);
  Optimizer optimizer(model.denoiser->trainable(), config.optimizer, config.steps);
  run.restore(optimizer);
  const int64_t C = config.sampler.gen_length, B = config.batch,
                micro = piece_size(B, config.micro_batch, *model.denoiser);
  check_fits(model, *problems, C);
  run.begin(summarise(config, model, compute), B * C);

  PhaseClock clock(observer);
  for (int64_t step = run.first_step(); step <= config.steps; ++step) {
    std::map<std::string, double> metrics;
    if (step > 0) {
      clock.begin(Phase::kLearn);
      const Key key = Key{config.seed}.fork("step", step);
      const Completed x0 = demonstrations(model, *problems, C, B, key, compute.device);
      const Views views = mask(x0, config.loss.masking, B, key);
      metrics["lr"] = optimizer.learning_rate();
      std::vector<Loss> losses((B + micro - 1) / micro);
      backward_in_pieces(*model.denoiser, std::ssize(losses),
                         [&](const Denoiser& worker, int64_t i) {
                           const Views part = slice(views, i * micro, std::min(B, (i + 1) * micro));
                           Batch batch{.log_p = log_probs(worker, part)};
                           batch.weight = part.weight.to(batch.log_p.options());
                           losses[i] = loss(batch, config.loss);
                           return losses[i].sum;
                         });
      Loss total;
      for (const Loss& part : losses) total += part;
      metrics["loss"] = total.sum.item<double>() / total.count;
      metrics["grad_norm"] = optimizer.step(total.count);
    }
    if (run.evaluation_due(step)) {
      clock.begin(Phase::kEvaluate);
      metrics.merge(
          evaluate(*model.denoiser, *model.tokenizer, *problems, judge, config.sampler, config.eval)
              .metrics());
    }
    if (!run.finish_step(step, metrics, clock, model, optimizer)) return Outcome::kInterrupted;
  }
  return Outcome::kDone;
}

}  // namespace gdsd
