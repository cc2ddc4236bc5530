#include "gdsd/train/flops.h"

namespace gdsd {

namespace {

/// Operations of `tokens` tokens in a matrix.
double of_matrix(const Architecture& a, Role role, double tokens) {
  const auto [out, in] = matrix_shape(a, role);
  return 2.0 * static_cast<double>(in) * static_cast<double>(out) * tokens;
}

double tokens_of(const Asked& asked) {
  return asked.tokens > 0 ? asked.tokens : asked.sequences * asked.length;
}

/// The tokens that go through a matrix of block `layer`.
double tokens_in(const Architecture& a, const Asked& asked, int64_t layer, Role role) {
  const bool all = layer + 1 < a.layers || role == Role::kK || role == Role::kV;
  return all ? tokens_of(asked) : asked.rows;
}

double attention(const Architecture& a, const Asked& asked) {
  const double queries = static_cast<double>(a.layers - 1) * tokens_of(asked) + asked.rows;
  return 4.0 * static_cast<double>(a.width) * asked.length * queries;
}

double head(const Architecture& a, const Asked& asked) {
  return 2.0 * static_cast<double>(a.width) * static_cast<double>(a.vocabulary) * asked.rows;
}

}  // namespace

double forward_flops(const Architecture& a, const Asked& asked) {
  double sum = attention(a, asked) + head(a, asked);
  for (int64_t layer = 0; layer < a.layers; ++layer)
    for (Role role : kRoles) sum += of_matrix(a, role, tokens_in(a, asked, layer, role));
  return sum;
}

std::map<Role, int64_t> adapter_ranks(const Transformer& denoiser) {
  std::map<Role, int64_t> ranks;
  const auto& modules = denoiser.adapter().modules;
  for (Role role : kRoles) {
    const auto part = modules.find(matrix_name(denoiser.architecture(), 0, role));
    if (part != modules.end()) ranks[role] = part->second.A.size(0);
  }
  return ranks;
}

double learning_flops(const Architecture& a, const Asked& asked,
                      const std::map<Role, int64_t>& ranks) {
  const bool all_weights = ranks.empty();
  double sum =
      forward_flops(a, asked) + 2 * attention(a, asked) + head(a, asked) * (all_weights ? 2 : 1);
  for (int64_t layer = 0; layer < a.layers; ++layer) {
    for (Role role : kRoles) {
      const double tokens = tokens_in(a, asked, layer, role), product = of_matrix(a, role, tokens);
      const bool lowest = layer == 0 && (role == Role::kQ || role == Role::kK || role == Role::kV);
      if (all_weights || !lowest) sum += product;  // the input's gradient
      if (all_weights) sum += product;             // the matrix's own
      if (const auto rank = ranks.find(role); rank != ranks.end()) {
        const auto [out, in] = matrix_shape(a, role);
        sum += 3 * 2.0 * static_cast<double>(rank->second) * static_cast<double>(in + out) * tokens;
      }
    }
  }
  return sum;
}

}  // namespace gdsd
