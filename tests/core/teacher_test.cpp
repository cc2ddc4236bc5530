// Where GDSD's loss leads: π* ∝ π_old^(1−β) π_ref^β exp(…A), on tables small enough to enumerate.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "gdsd/masking/scores.h"
#include "gdsd/objective/objectives.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t C = 2, V = 3;

/// Two completion tokens, predicted independently from a table of logits [C, V].
struct TwoTokens : Denoiser {
  Tensor table;
  Vocabulary vocab{.size = V, .mask_id = V, .eos_id = 0, .pad_id = 0};

  explicit TwoTokens(const Tensor& logits) : table(logits.clone().requires_grad_()) {}
  Tensor encode(const Packed&, const Rows& rows) const override {
    return table.index_select(0, rows.index.remainder(C));  // a sequence is its two tokens
  }
  Tensor head() const override { return at::eye(V, at::kDouble); }
  const Vocabulary& vocabulary() const override { return vocab; }

  /// log p of the completions (0,0), (0,1), …: [V²].
  Tensor log_joint() const {
    const Tensor p = table.detach().log_softmax(-1);
    return (p[0].unsqueeze(1) + p[1].unsqueeze(0)).flatten();
  }
};

struct Tilt {
  const char* name;
  GdsdReference reference;
  double beta;
};
void PrintTo(const Tilt& t, std::ostream* out) { *out << t.name; }

class Teacher : public testing::TestWithParam<Tilt> {};

// S = ½ Σ log p over two complementary passes, so Δ = ψA on every completion and view means
// log π* = (1−β) log π_old + β log π_ref + 2C ψA. An advantage that adds up over tokens keeps π*
// within reach; its constant is chosen so that π* sums to one.
TEST_P(Teacher, IsWhatTrainingConvergesTo) {
  const auto [name, reference, beta] = GetParam();
  const GdsdOptions o{.psi = 0.5, .beta = beta, .reference = reference, .clip = GdsdClip::kNone};
  TwoTokens model(2 * random_tensor({C, V}, "old"));
  const TwoTokens frozen(2 * random_tensor({C, V}, "reference"));
  const Tensor x = at::cartesian_prod({at::arange(V), at::arange(V)});  // [V², C]
  const Completed all{
      {x.flatten(), std::vector<int64_t>(V * V, C)}, C, std::vector<int64_t>(V * V, C), {}};

  const double tilt = 2 * C * o.psi;
  const Tensor wanted = random_tensor({C, V}, "advantage");
  const Tensor additive = (wanted[0].unsqueeze(1) + wanted[1].unsqueeze(0)).flatten();
  const Tensor old = model.log_joint(), ref = frozen.log_joint();
  const Tensor mixed = (1 - beta) * old + beta * ref;
  const Tensor advantage = additive - (mixed + tilt * additive).logsumexp(0) / tilt;
  const Tensor teacher = (mixed + tilt * additive).softmax(0);
  ASSERT_GT((teacher - old.exp()).abs().sum().item<double>() / 2, 0.15);  // something to learn

  const TwoTokens start(model.table.detach());
  for (uint64_t step = 0; step < 2000; ++step) {
    const Views views = mask(all, o.masking, V * V, {step});
    Batch b{.log_p = log_probs(model, views),
            .log_p_old = log_probs(start, views).detach(),
            .log_p_ref = log_probs(frozen, views).detach(),
            .weight = views.weight,
            .completion = at::ones({V * V, C}, at::kBool),
            .advantage = advantage};
    const Loss l = loss(b, o);
    (l.sum / l.count).backward();
    const at::NoGradGuard no_grad;
    model.table.sub_(2 * model.table.grad());
    model.table.grad().zero_();
  }
  const double total_variation = (model.log_joint().exp() - teacher).abs().sum().item<double>() / 2;
  EXPECT_LE(total_variation, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Tilts, Teacher,
                         testing::Values(Tilt{"old", GdsdReference::kTeacher, 0},
                                         Tilt{"mixed", GdsdReference::kTeacher, 0.4},
                                         Tilt{"reference", GdsdReference::kTeacher, 1}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace gdsd
