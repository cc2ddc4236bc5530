// A denoiser that answers with a fixture's logits, so that fixtures of losses go through the same
// log_probs and loss as training does.
#pragma once

#include "gdsd/masking/scores.h"
#include "gdsd/objective/objective.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {

/// Relative to the largest entry, plus absolute: objectives/README.md, "Tolerances".
struct Tolerance {
  double relative, absolute;
};
struct Tolerances {
  at::ScalarType type;
  Tolerance score, loss, gradient, metric;
};
inline const Tolerances kFloat64{
    at::kDouble, {1e-10, 1e-12}, {1e-10, 1e-12}, {1e-10, 1e-12}, {1e-6, 1e-12}};
inline const Tolerances kFloat32{at::kFloat, {1e-5, 0}, {5e-5, 2e-6}, {2e-4, 0}, {5e-5, 2e-6}};

/// Logits of P passes over B sequences of T tokens each.
struct Policy : Denoiser {
  Tensor logits;      // [P, B, T, V]
  Views views;        // what it will be asked
  int64_t shift = 0;  // 1: the logits at i predict token i + 1
  Vocabulary vocab;

  Policy(Tensor answers, Views asked, int64_t mask_id, bool next)
      : logits(std::move(answers)),
        views(std::move(asked)),
        shift(next ? 1 : 0),
        vocab{.size = logits.size(3), .mask_id = mask_id} {}

  Tensor encode(const Packed& x, const Rows& rows) const override {
    const int64_t T = logits.size(2);
    // Sequences that are asked for nothing are not shown, unless all are.
    Tensor shown = views.asked.any(-1).flatten().nonzero().squeeze(1);
    if (shown.numel() == 0) shown = at::zeros({1}, at::kLong);
    const Tensor all = at::where(views.hidden, vocab.mask_id, views.rollouts.tokens.unsqueeze(0));
    EXPECT_TRUE(x.tokens.view({-1, T}).equal(all.view({-1, T}).index_select(0, shown)))
        << "the denoiser was shown other tokens";
    const Tensor sequence = shown.index_select(0, rows.index.floor_divide(T));
    const Tensor place = sequence * T + rows.index.remainder(T) - shift;
    return logits.flatten(0, 2).index_select(0, place);
  }
  Tensor head() const override { return at::eye(vocab.size, logits.options()); }
  const Vocabulary& vocabulary() const override { return vocab; }
};

/// A case of objectives/cases.json and its tensors.
struct Fixture {
  json info;
  TensorMap tensors;
  bool next;

  Fixture(const json& about, const path& folder)
      : info(about),
        tensors(read_safetensors(folder / about.at("file").get<std::string>())),
        next(info.value("alignment", "same") == "next") {}
  const Tensor& at(const std::string& name) const { return tensors.at(name); }
  bool has(const std::string& name) const { return tensors.contains(name); }
  int64_t dim(const char* letter) const { return info.at("dims").at(letter); }
  const json& hyper() const { return info.at("hyper"); }
  const json& metrics() const { return info.at("expected").at("metrics"); }
  int64_t mask_id() const { return info.at("mask_id"); }

  /// [B, P] and [B, L] → packed sequences.
  Packed rollouts() const {
    const Tensor tokens = at::cat({at("prompt_ids"), at("completion_ids")}, 1);
    return {tokens.flatten(), std::vector<int64_t>(tokens.size(0), tokens.size(1))};
  }
  /// [P, B, L] → [P, N], false at the prompts.
  Tensor over_all(const Tensor& mask) const {
    const int64_t P = at("prompt_ids").size(1);
    return at::cat({at::zeros({mask.size(0), mask.size(1), P}, at::kBool), mask}, -1)
        .view({mask.size(0), -1});
  }
  /// Logits of completions [P, B, L, V] → of whole sequences.
  Tensor over_all_logits(const Tensor& logits) const {
    const int64_t P = at("prompt_ids").size(1);
    return at::cat(
        {at::zeros({logits.size(0), logits.size(1), P, logits.size(3)}, logits.options()), logits},
        2);
  }
  Tensor leaf(const std::string& name, at::ScalarType type) const {
    return at(name).to(type).requires_grad_();
  }
  void expect(const Tensor& got, const std::string& name, const Tolerance& by) const {
    expect_close(got, at("expected." + name), by.relative, by.absolute, name);
  }
};

/// Adds the tests of one loss, in both precisions.
inline void add_loss(const json& fixture, const path& folder,
                     void (*check)(const Fixture&, const Tolerances&)) {
  const std::string name = fixture.at("name");
  add_test("Loss", name + "/float64", [=] { check({fixture, folder}, kFloat64); });
  add_test("Loss", name + "/float32", [=] { check({fixture, folder}, kFloat32); });
}

}  // namespace gdsd::golden
