// What a run is about to do: the rows of the table it begins with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gdsd/data/example.h"
#include "gdsd/denoiser/model.h"

namespace gdsd {

using SummaryRows = std::vector<std::pair<std::string, std::string>>;

/// The model, its size, and what it is computed with.
SummaryRows summarise_model(const Transformer& denoiser, const Compute& compute);

/// Bytes that training holds: weights, gradients (of every worker, and their sum), the optimiser's
/// two moments, and a frozen reference if there is one. Activations come on top.
std::string training_memory(const Transformer& denoiser, const Compute& compute, bool reference);

/// Throws Error unless the tokenizer can spell the task's texts and a prompt with C completion
/// tokens fits the model.
void check_fits(const Model& model, const Problems& problems, int64_t C);

}  // namespace gdsd
