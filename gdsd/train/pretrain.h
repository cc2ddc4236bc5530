// Learning from demonstrations: MDLM's loss, for pretraining a small model and for fine-tuning one.
// See mdlm.h.
#pragma once

#include "gdsd/objective/mdlm.h"
#include "gdsd/train/run.h"

namespace gdsd {

struct PretrainConfig : RunOptions {
  std::string model;
  LoraOptions lora;
  ArchitectureOptions architecture;
  int64_t batch = 48;
  int64_t micro_batch = 0;
  MdlmOptions loss;
  SamplerOptions sampler;

  template <class F>
  void fields(F&& f) {
    RunOptions::fields(f);
    f("model", model, "Hugging Face folder to start from; empty for a new model");
    f("lora", lora, "train an adapter instead of the weights");
    f("architecture", architecture, "of a new model");
    f("batch", batch, "demonstrations per step");
    f("micro_batch", micro_batch, "demonstrations in a backward pass, 0 for all");
    f("loss", loss, "");
    f("sampler", sampler, "how evaluations decode; gen_length is the canvas that is learnt");
  }
  void validate() const;
};

/// Trains on the task's demonstrations, the end of the canvas filled with EOS, or goes on doing so.
Outcome pretrain(const PretrainConfig& config, Existing existing, Observer& observer);

}  // namespace gdsd
