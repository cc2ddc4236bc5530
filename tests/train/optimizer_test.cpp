// AdamW against its formula in float64.
#include "gdsd/train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gdsd/base/random.h"

namespace gdsd {
namespace {

constexpr int64_t kSteps = 8;
constexpr double kCount = 4;
const OptimizerOptions kOptions{.lr = 0.1,
                                .warmup = 3,
                                .final_lr = 0.25,
                                .beta1 = 0.8,
                                .beta2 = 0.95,
                                .epsilon = 1e-3,
                                .weight_decay = 0.05,
                                .max_grad_norm = 2.0};

TensorMap new_parameters() {
  TensorMap out;
  for (const auto& [name, shape] :
       {std::pair<const char*, std::vector<int64_t>>{"a", {3, 2}}, {"b", {4}}}) {
    const Tensor w = at::empty(shape, at::kFloat);
    for (int64_t i = 0; i < w.numel(); ++i)
      w.data_ptr<float>()[i] = static_cast<float>(uniform(Key{1}.fork(name), i) - 0.5);
    out[name] = w.clone().requires_grad_(true);
  }
  return out;
}

/// Of step n, times kCount: some are clipped, some not.
Tensor gradient(const std::string& name, const Tensor& w, int64_t n) {
  Tensor g = at::empty(w.sizes(), at::kFloat);
  const double size = n % 2 == 0 ? 0.5 : 20;
  for (int64_t i = 0; i < g.numel(); ++i)
    g.data_ptr<float>()[i] =
        static_cast<float>(kCount * size * (uniform(Key{2}.fork(name, n), i) - 0.5));
  return g;
}

double take_step(Optimizer& optimizer, const TensorMap& parameters, int64_t n) {
  for (const auto& [name, w] : parameters) w.mutable_grad() = gradient(name, w, n);
  return optimizer.step(kCount);
}

/// The same by the book, in float64.
struct Reference {
  std::map<std::string, std::vector<double>> w, m, v;

  explicit Reference(const TensorMap& parameters) {
    for (const auto& [name, tensor] : parameters) {
      w[name] = to_vector<double>(tensor.detach());
      m[name].resize(w[name].size());
      v[name].resize(w[name].size());
    }
  }

  static double learning_rate(int64_t n) {
    const double warmup = std::min(1.0, static_cast<double>(n + 1) / 3);
    return 0.1 * warmup * (1 - (1 - 0.25) * static_cast<double>(n) / kSteps);
  }

  double step(const TensorMap& parameters, int64_t n) {
    std::map<std::string, std::vector<double>> g;
    double squares = 0;
    for (const auto& [name, tensor] : parameters) {
      g[name] = to_vector<double>(gradient(name, tensor, n));
      for (double& x : g[name]) {
        x /= kCount;
        squares += x * x;
      }
    }
    const double norm = std::sqrt(squares), clip = norm > 2 ? 2 / norm : 1;
    const auto t = static_cast<double>(n + 1);
    for (auto& [name, weights] : w)
      for (size_t i = 0; i < weights.size(); ++i) {
        const double x = clip * g[name][i], lr = learning_rate(n);
        m[name][i] = 0.8 * m[name][i] + 0.2 * x;
        v[name][i] = 0.95 * v[name][i] + 0.05 * x * x;
        const double mean = m[name][i] / (1 - std::pow(0.8, t)),
                     square = v[name][i] / (1 - std::pow(0.95, t));
        weights[i] -= lr * (0.05 * weights[i] + mean / (std::sqrt(square) + 1e-3));
      }
    return norm;
  }
};

TEST(Optimizer, IsAdamWOfTheDividedAndClippedGradient) {
  const TensorMap parameters = new_parameters();
  Optimizer optimizer(parameters, kOptions, kSteps);
  Reference reference(parameters);
  int clipped = 0;
  for (int64_t n = 0; n < kSteps; ++n) {
    EXPECT_NEAR(optimizer.learning_rate(), Reference::learning_rate(n), 1e-15);
    const double norm = reference.step(parameters, n);
    EXPECT_NEAR(take_step(optimizer, parameters, n), norm, 1e-6 * norm);
    clipped += norm > 2;
    for (const auto& [name, w] : parameters) {
      EXPECT_FALSE(w.grad().defined());
      const auto got = to_vector<double>(w.detach());
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], reference.w[name][i], 2e-6) << name << "[" << i << "] at step " << n;
    }
  }
  EXPECT_TRUE(clipped > 0 && clipped < kSteps);
  EXPECT_NEAR(optimizer.learning_rate(), 0.1 * 0.25, 1e-15);
}

TEST(Optimizer, GoesOnFromItsStateBitForBit) {
  const TensorMap whole = new_parameters();
  Optimizer first(whole, kOptions, kSteps);
  for (int64_t n = 0; n < 4; ++n) take_step(first, whole, n);
  TensorMap copy, state = first.state();
  for (const auto& [name, w] : whole) copy[name] = w.detach().clone().requires_grad_(true);
  for (auto& [name, tensor] : state) tensor = tensor.clone();
  Optimizer second(copy, kOptions, kSteps);
  second.load_state(state);
  EXPECT_EQ(second.learning_rate(), first.learning_rate());
  for (int64_t n = 4; n < kSteps; ++n) {
    take_step(first, whole, n);
    take_step(second, copy, n);
  }
  for (const auto& [name, w] : whole) EXPECT_TRUE(at::equal(w, copy.at(name))) << name;

  state.erase("a.exp_avg");
  EXPECT_THROW(second.load_state(state), Error);
}

TEST(Optimizer, ANonFiniteGradientIsAnErrorAndChangesNothing) {
  const TensorMap parameters = new_parameters();
  Optimizer optimizer(parameters, kOptions, kSteps);
  take_step(optimizer, parameters, 0);
  std::map<std::string, Tensor> before;
  for (const auto& [name, w] : parameters) before[name] = w.detach().clone();
  parameters.at("a").mutable_grad() = at::full({3, 2}, std::nan(""));
  EXPECT_THROW(optimizer.step(kCount), Error);
  for (const auto& [name, w] : parameters) EXPECT_TRUE(at::equal(w, before[name])) << name;
  EXPECT_EQ(to_vector<int64_t>(optimizer.state().at("steps")), std::vector<int64_t>{1});
}

TEST(Optimizer, AParameterWithoutAGradientOnlyDecays) {
  const TensorMap parameters = new_parameters();
  const Tensor before = parameters.at("b").detach().clone();
  Optimizer optimizer(parameters, kOptions, kSteps);
  parameters.at("a").mutable_grad() = at::ones({3, 2});
  const double rate = optimizer.learning_rate();
  optimizer.step(1);
  EXPECT_TRUE(at::allclose(parameters.at("b").detach(), before * (1 - rate * 0.05)));
}

}  // namespace
}  // namespace gdsd
