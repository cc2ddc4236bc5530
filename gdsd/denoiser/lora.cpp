#include "gdsd/denoiser/lora.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "gdsd/base/random.h"

namespace gdsd {

namespace {

using nlohmann::json;

/// What makes PEFT adapt exactly the matrices of these roles.
json target_modules(const Architecture& a, const std::set<Role>& roles) {
  std::vector<std::string> leaves;
  for (Role role : roles) {
    const std::string name = matrix_name(a, 0, role);
    leaves.push_back(name.substr(name.rfind('.') + 1));
  }
  // LLaDA's head has the leaf name of its down projections: a list would adapt it too.
  if (a.family != Family::kLlada || !roles.contains(Role::kDown)) return leaves;
  std::string any;
  for (const std::string& leaf : leaves) any += (any.empty() ? "" : "|") + leaf;
  return "model\\.transformer\\.blocks\\.\\d+\\.(" + any + ")";
}

std::string config_json(const Architecture& a, const LoraOptions& o, const std::set<Role>& roles,
                        const std::string& base) {
  const json file{{"peft_type", "LORA"},
                  // PEFT's class for CAUSAL_LM asks for a method that Dream's class does not have.
                  {"task_type", a.family == Family::kLlada ? json("CAUSAL_LM") : json()},
                  {"base_model_name_or_path", base},
                  {"r", o.rank},
                  {"lora_alpha", o.alpha},
                  {"lora_dropout", 0.0},
                  {"use_rslora", o.rslora},
                  {"target_modules", target_modules(a, roles)},
                  {"exclude_modules", nullptr},
                  {"bias", "none"},
                  {"fan_in_fan_out", false},
                  {"inference_mode", true},
                  {"init_lora_weights", true},
                  {"use_dora", false},
                  {"lora_bias", false},
                  {"modules_to_save", nullptr},
                  {"layers_to_transform", nullptr},
                  {"layers_pattern", nullptr},
                  {"rank_pattern", json::object()},
                  {"alpha_pattern", json::object()},
                  {"revision", nullptr}};
  return file.dump(2) + "\n";
}

Tensor uniform_matrix(int64_t rows, int64_t columns, double bound, Key key) {
  Tensor w = at::empty({rows, columns}, at::kFloat);
  float* data = w.data_ptr<float>();
  for (int64_t i = 0; i < w.numel(); ++i)
    data[i] = static_cast<float>(bound * (2 * uniform(key, i) - 1));
  return w;
}

}  // namespace

std::set<Role> target_roles(const std::string& targets, Family family) {
  std::set<Role> roles(kRoles.begin(), kRoles.end());
  if (targets == "all") return roles;
  if (targets == "released") {
    if (family == Family::kLlada)
      for (Role missed : {Role::kO, Role::kGate, Role::kDown}) roles.erase(missed);
    return roles;
  }
  roles.clear();
  for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = targets.find(',', begin);
    const std::string name = targets.substr(begin, end - begin);
    Role role{};
    check_field(from_text(name, role), "targets", "got '", name,
                "', expected all, released, or some of q,k,v,o,gate,up,down.");
    roles.insert(role);
  }
  return roles;
}

void LoraOptions::validate() const {
  check_field(rank >= 0, "rank", "must not be negative, got ", rank, ".");
  check_field(alpha > 0, "alpha", "must be positive, got ", alpha, ".");
  check_field(rank == 0 || from.empty(), "rank", "got ", rank,
              ", but lora.from says it: give one of them, rank 0 with lora.from.");
  target_roles(targets, Family::kLlada);
}

Adapter new_adapter(const Architecture& architecture, const LoraOptions& options,
                    const std::string& base, Key key) {
  const auto roles = target_roles(options.targets, architecture.family);
  const auto r = static_cast<double>(options.rank);
  Adapter adapter{.modules = {}, .json = config_json(architecture, options, roles, base)};
  for (int64_t i = 0; i < architecture.layers; ++i) {
    for (Role role : roles) {
      const auto [out, in] = matrix_shape(architecture, role);
      const std::string name = matrix_name(architecture, i, role);
      adapter.modules[name] = {
          .A = uniform_matrix(options.rank, in, 1 / std::sqrt(static_cast<double>(in)),
                              key.fork(name)),
          .B = at::zeros({out, options.rank}, at::kFloat),
          .scale = options.alpha / (options.rslora ? std::sqrt(r) : r)};
    }
  }
  return adapter;
}

Tensor merge(const Tensor& weight, const LowRank& part, MergeLoss& loss) {
  const at::NoGradGuard no_grad;
  auto squares = [](const Tensor& x) { return x.square().sum(at::kDouble).item<double>(); };
  const Tensor delta = part.B.matmul(part.A) * part.scale;  // [out, in] float32
  const Tensor exact = weight.to(delta.scalar_type()) + delta;
  const Tensor rounded = exact.to(weight.scalar_type());
  loss.update_squares += squares(delta);
  loss.lost_squares += squares(exact - rounded.to(exact.scalar_type()));
  const Tensor touched = delta != 0;
  loss.updated += touched.sum().item<int64_t>();
  loss.unchanged += touched.logical_and(rounded == weight).sum().item<int64_t>();
  return rounded;
}

}  // namespace gdsd
