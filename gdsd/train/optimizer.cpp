#include "gdsd/train/optimizer.h"

#include <c10/core/GradMode.h>

#include <cmath>

namespace gdsd {

void OptimizerOptions::validate() const {
  check_field(lr > 0, "lr", "must be positive, got ", lr, ".");
  check_field(warmup >= 0, "warmup", "must not be negative, got ", warmup, ".");
  check_field(final_lr >= 0 && final_lr <= 1, "final_lr", "got ", final_lr, ", expected 0 … 1.");
  check_field(beta1 >= 0 && beta1 < 1, "beta1", "got ", beta1, ", expected 0 ≤ β < 1.");
  check_field(beta2 >= 0 && beta2 < 1, "beta2", "got ", beta2, ", expected 0 ≤ β < 1.");
  check_field(epsilon > 0, "epsilon", "must be positive, got ", epsilon, ".");
  check_field(weight_decay >= 0, "weight_decay", "must not be negative, got ", weight_decay, ".");
  check_field(max_grad_norm >= 0, "max_grad_norm", "must not be negative, got ", max_grad_norm,
              ".");
}

Optimizer::Optimizer(const TensorMap& parameters, const OptimizerOptions& options,
                     int64_t total_steps)
    : options_(options), total_steps_(total_steps) {
  for (const auto& [name, parameter] : parameters) {
    names_.push_back(name);
    parameters_.push_back(parameter);
    exp_avg_.push_back(at::zeros_like(parameter, parameter.options().requires_grad(false)));
    exp_avg_sq_.push_back(at::zeros_like(exp_avg_.back()));
    step_counts_.push_back(at::zeros({}, exp_avg_.back().options()));
  }
}

double Optimizer::learning_rate() const {
  const double warmup =
      options_.warmup > 0 ? std::min(1.0, static_cast<double>(steps_ + 1) / options_.warmup) : 1.0;
  const double done = static_cast<double>(steps_) / static_cast<double>(total_steps_);
  return options_.lr * warmup * (1 - (1 - options_.final_lr) * std::min(1.0, done));
}

double Optimizer::step(double count) {
  at::NoGradGuard no_grad;
  std::vector<Tensor> grads;
  for (Tensor& p : parameters_) {
    if (!p.grad().defined()) p.mutable_grad() = at::zeros_like(p);
    grads.push_back(p.grad());
  }
  const Tensor norms = at::stack(at::_foreach_norm(grads));
  const double norm = norms.to(at::kDouble).norm().item<double>() / count;
  check(std::isfinite(norm), "[optimizer] the gradient of optimiser step ", steps_ + 1,
        " is not finite: training has diverged. A lower optimizer.lr may help; checkpoints are as "
        "they were.");
  const double clip = options_.max_grad_norm > 0 && norm > options_.max_grad_norm
                          ? options_.max_grad_norm / norm
                          : 1.0;
  // The same pass over memory divides the gradients and uses them.
  const Tensor divisor = at::full({}, count / clip, step_counts_[0].options());
  at::_foreach_add_(step_counts_, 1);
  at::_fused_adamw_(parameters_, grads, exp_avg_, exp_avg_sq_, /*max_exp_avg_sqs=*/{}, step_counts_,
                    learning_rate(), options_.beta1, options_.beta2, options_.weight_decay,
                    options_.epsilon, /*amsgrad=*/false, /*maximize=*/false, divisor);
  for (Tensor& p : parameters_) {
    p.mutable_grad() = Tensor();
    p.unsafeGetTensorImpl()->bump_version();  // the fused step does not say that it wrote
  }
  ++steps_;
  return norm;
}

TensorMap Optimizer::state() const {
  TensorMap state{{"steps", to_tensor(std::vector<int64_t>{steps_})}};
  for (size_t i = 0; i < names_.size(); ++i) {
    state[names_[i] + ".exp_avg"] = exp_avg_[i];
    state[names_[i] + ".exp_avg_sq"] = exp_avg_sq_[i];
  }
  return state;
}

void Optimizer::load_state(const TensorMap& state) {
  auto get = [&](const std::string& name) {
    check(state.contains(name), "[optimizer] the checkpoint has no '", name, "'.");
    return state.at(name);
  };
  check(state.size() == 1 + 2 * names_.size(), "[optimizer] the checkpoint has ", state.size(),
        " tensors, expected ", 1 + 2 * names_.size(), ".");
  steps_ = get("steps").item<int64_t>();
  for (size_t i = 0; i < names_.size(); ++i) {
    for (auto [part, into] :
         {std::pair{".exp_avg", exp_avg_[i]}, {".exp_avg_sq", exp_avg_sq_[i]}}) {
      const Tensor saved = get(names_[i] + part);
      check_shape(saved, into.sizes(), names_[i] + part);
      into.copy_(saved);
    }
    step_counts_[i].fill_(static_cast<double>(steps_));
  }
}

}  // namespace gdsd
