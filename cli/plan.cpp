#include "cli/plan.h"

#include <iostream>

#include "cli/rows.h"
#include "gdsd/base/progress.h"
#include "gdsd/base/yaml.h"
#include "gdsd/bench/machine.h"
#include "gdsd/tensor/free_memory.h"
#include "gdsd/train/plan.h"

namespace gdsd {

namespace {

constexpr double kContext = 1e9;               // bytes that CUDA takes for itself
constexpr std::array kCards{24, 48, 80, 141};  // GB

/// How the run would be computed: on the GPU it asks for even if there is none here.
Compute planned_compute(const TrainConfig& config, int64_t width) {
  if (config.compute.device != DeviceChoice::kCuda) return open_compute(config.compute, width);
  return {.device = at::kCUDA,
          .dtype = config.compute.precision == Precision::kFloat32 ? at::kFloat : at::kBFloat16,
          .activation_checkpointing = config.compute.activation_checkpointing == Checkpointing::kOn,
          .reuse = config.compute.reuse,
          .graphs = config.compute.graphs,
          .augment = true};
}

bool is_automatic(const TrainConfig& config) {
  return config.compute.activation_checkpointing == Checkpointing::kAuto;
}

void row(const std::string& name, const std::string& text) { print_row("  " + name, text); }

void bytes_row(const std::string& name, int64_t bytes, const std::string& note = "") {
  if (bytes > 0) row(name, human_bytes(static_cast<double>(bytes)) + note);
}

void print_memory(const Plan& plan) {
  std::cout << "memory that lasts\n";
  bytes_row("weights", plan.weights);
  bytes_row("reference", plan.reference);
  bytes_row("adapter", plan.adapter);
  bytes_row("optimiser", plan.optimizer);
  bytes_row("recorded steps", plan.graphs);
  std::cout << "memory on top, one after another\n";
  bytes_row("rollout", plan.rollout);
  bytes_row("evaluation", plan.evaluation);
  bytes_row("look back", plan.scoring);
  bytes_row("learning", plan.learning,
            concat(": ", human_bytes(static_cast<double>(plan.activations)),
                   " activations, the rest head and gradients"));
  bytes_row("peak", plan.peak());
}

/// Which cards it fits, as it is or with the least that can be held at a time.
void print_cards(const TrainConfig& config, const ModelConfig& model, int64_t P) {
  TrainConfig least = config;
  least.micro_batch = least.rollout.batch = least.eval.batch = 1;
  TrainConfig again = config;
  if (is_automatic(config)) again.compute.activation_checkpointing = Checkpointing::kOn;
  least.compute.activation_checkpointing = Checkpointing::kOn;
  auto needed = [&](const TrainConfig& c) {
    TrainConfig on_gpu = c;
    on_gpu.compute.device = DeviceChoice::kCuda;
    return static_cast<double>(
               make_plan(on_gpu, model, planned_compute(on_gpu, model.architecture.width), P)
                   .peak()) +
           kContext;
  };
  const double as_it_is = needed(config), computed_again = needed(again), at_least = needed(least);
  std::cout << "on one GPU, " << human_bytes(kContext) << " for CUDA included\n";
  for (int gb : kCards) {
    const double size = gb * 1e9;
    row(concat(gb, " GB"),
        as_it_is <= size ? concat("fits (", human_bytes(as_it_is), ")")
        : computed_again <= size
            ? concat("fits with activation checkpointing, which auto takes there (",
                     human_bytes(computed_again), "); without it needs ", human_bytes(as_it_is))
        : at_least <= size
            ? concat("fits with micro_batch=1 rollout.batch=1 eval.batch=1 "
                     "compute.activation_checkpointing=on (",
                     human_bytes(at_least), "); as it is it needs ", human_bytes(as_it_is))
            : concat(
                  "does not fit: ", human_bytes(at_least), " at the least",
                  is_adapted(config.model, config.lora) ? "" : "; lora.rank=… trains an adapter"));
  }
}

void print_time(const Plan& plan, const Compute& compute, double tflops, int64_t steps,
                bool at_most) {
  const double all = plan.rollout_flops + plan.scoring_flops + plan.learning_flops;
  std::cout << "work of a step\n";
  row("operations",
      concat(at_most ? "at most " : "", human_count(all), ": rollout ",
             human_count(plan.rollout_flops), ", look back ", human_count(plan.scoring_flops),
             ", learning ", human_count(plan.learning_flops)));
  if (tflops <= 0 && !compute.device.is_cpu()) {
    row("time", "say --tflops of the GPU: half of its peak is a fair guess");
    return;
  }
  const double rate = tflops > 0 ? tflops * 1e12 : measure_peak(compute, 0.1);
  row("time", concat(human_duration(all / rate), " a step, ",
                     human_duration(all / rate * static_cast<double>(steps)), " for ", steps,
                     " steps, at the ", human_count(rate), " operations a second of ",
                     tflops > 0 ? "--tflops" : "a matrix product on this machine",
                     "; small models take longer"));
}

}  // namespace

int64_t planned_prompt(const TrainConfig& config) {
  if (const int64_t P = longest_prompt(config); P > 0) return P;
  std::cerr << "gdsd: no tokenizer in " << tokenizer_folder(config.model).string()
            << ": prompts are taken to have 128 tokens; --prompt says otherwise\n";
  return 128;
}

int run_plan(const PlanArguments& arguments) {
  check(arguments.prompt.value_or(1) > 0, "[--prompt] got ", arguments.prompt.value_or(1),
        ", expected 1 or more.");
  check(arguments.tflops.value_or(1) > 0, "[--tflops] got ", arguments.tflops.value_or(1),
        ", expected a number above 0.");
  const auto config = load_options<TrainConfig>(arguments.config, arguments.overrides);
  const ModelConfig model = config_of(config.model);
  Compute compute = planned_compute(config, model.architecture.width);
  const int64_t P = arguments.prompt ? *arguments.prompt : planned_prompt(config);
  const int64_t C = config.rollout.sampler.gen_length, most = model.architecture.max_length;
  check(P + C <= most, "[plan] prompts of ", P, " tokens and completions of ", C,
        " do not fit the model's ", most, " positions.");
  const bool here = compute.device.is_cpu() || uses_gpu(config.compute);
  const int64_t memory = here ? free_memory(compute.device) : 0;
  if (here && is_automatic(config))
    compute.activation_checkpointing = needs_checkpointing(config, model, compute, P, memory);
  const Plan plan = make_plan(config, model, compute, P);
  const Architecture& a = model.architecture;
  std::cout << concat(to_text(a.family), ", ", a.layers, " layers, width ", a.width, ", ",
                      human_count(parameter_count(a)), " parameters; products in ",
                      precision_name(compute.dtype), "; prompts of ", P, " tokens, completions of ",
                      config.rollout.sampler.gen_length,
                      compute.activation_checkpointing ? "; activation checkpointing" : "", "\n");
  print_memory(plan);
  bytes_row("free here", memory);
  print_cards(config, model, P);
  print_time(plan, compute, arguments.tflops.value_or(0), config.steps,
             config.rollout.sampler.threshold > 0);
  return kExitDone;
}

}  // namespace gdsd
