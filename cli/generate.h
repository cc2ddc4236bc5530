// gdsd generate: prompts in, completions out.
#pragma once

#include "cli/verbs.h"
#include "gdsd/denoiser/lora.h"
#include "gdsd/sampler/sampler.h"

namespace gdsd {

/// Whether a prompt is put into the model's chat template.
enum class ChatChoice { kAuto, kOn, kOff };
constexpr auto enum_names(ChatChoice) { return std::array{"auto", "on", "off"}; }

struct GenerateOptions {
  std::string model;
  LoraOptions lora;
  std::string prompt;
  std::string input;
  std::string output;
  ChatChoice chat = ChatChoice::kAuto;
  std::string system;
  bool special_tokens = false;
  uint64_t seed = 42;
  int64_t batch = 8;
  SamplerOptions sampler{.gen_length = 128, .steps = 0};
  ComputeOptions compute;

  template <class F>
  void fields(F&& f) {
    f("model", model, "Hugging Face folder, or PEFT folder whose base is here");
    f("lora", lora, "only `from` is of use: an adapter to `model`");
    f("prompt", prompt, "one prompt");
    f("input", input, "JSON lines with a `prompt` or with `messages`, - for standard input");
    f("output", output, "file for JSON lines: those of `input` with `completion` and `tokens`");
    f("chat", chat, "put prompts into the chat template; auto does if the model has one");
    f("system", system, "system message of the chat, for prompts that are not `messages`");
    f("special_tokens", special_tokens,
      "keep special tokens, and what follows the end, in the text");
    f("seed", seed, "of the random numbers; prompt i has a stream of its own");
    f("batch", batch, "prompts denoised together");
    f("sampler", sampler, "");
    f("compute", compute, "");
  }
  void validate() const;
};

struct GenerateArguments {
  std::vector<std::string> words;  // CONFIG.yaml and key.path=value
  bool show = false;
  std::string trace;
};
int run_generate(const GenerateArguments& arguments);

/// Every key with its default and meaning.
std::string generate_keys();

}  // namespace gdsd
