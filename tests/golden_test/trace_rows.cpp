// The rows that TraceRL's released code makes of rollouts: replayed steps, and random masks.
#include "tests/golden_test/policy.h"

namespace gdsd::golden {
namespace {

struct Rows {
  Tensor noisy, asked, reward;  // [R, T'] int64, [R, T'] bool, [R]
};

/// The views of one rollout, as rows; those that ask for nothing are none.
Rows rows_of(const Fixture& f, const MaskingOptions& o, Key key) {
  const json& hyper = f.hyper();
  const int64_t start = f.dim("start"), B = f.dim("B"),
                T = std::min<int64_t>(f.dim("T"),
                                      start + hyper.at("max_gen_length").get<int64_t>()),
                C = T - start;
  const Tensor ids = f.at("base_ids").slice(1, 0, T).contiguous();
  const Completed x0 = complete({ids.flatten(), std::vector<int64_t>(B, T)}, ids.slice(1, start),
                                f.info.at("pad_id"), f.at("step_map").slice(1, 0, C).contiguous());
  const Views views = mask(x0, o, 1, key);
  const Tensor noisy = at::where(views.hidden, f.mask_id(), ids.flatten().unsqueeze(0));
  std::vector<Tensor> all_noisy, all_asked, rewards;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t p = 0; p < views.hidden.size(0); ++p) {
      if (!views.asked[p][b].any().item<bool>()) continue;
      all_noisy.push_back(noisy[p].slice(0, b * T, (b + 1) * T));
      all_asked.push_back(at::cat({at::zeros({start}, at::kBool), views.asked[p][b]}));
      rewards.push_back(f.at("rewards")[b]);
    }
  return {at::stack(all_noisy), at::stack(all_asked), at::stack(rewards)};
}

TokenScope scope_of(const json& hyper) {
  const json& pads = hyper.at("post_num");
  return pads.is_null() ? TokenScope::kAll
         : pads == 0    ? TokenScope::kBeforeEos
                        : TokenScope::kUntilEos;
}

void check_trace(const Fixture& f) {
  const json& hyper = f.hyper();
  const MaskingOptions o{.pattern = Pattern::kTrace,
                         .coupled = false,
                         .tokens = scope_of(hyper),
                         .shrink = hyper.at("shrink")};
  const Rows got = rows_of(f, o, {1});
  EXPECT_TRUE(got.noisy.equal(f.at("expected.noisy_ids"))) << got.noisy;
  EXPECT_TRUE(got.asked.equal(f.at("expected.loss_mask"))) << got.asked;
  EXPECT_TRUE(got.reward.equal(f.at("expected.row_reward")));
}

/// What holds for every random row, ours and theirs: only completion tokens are hidden, all after
/// the end are, and of the others those that are hidden are asked for.
void check_invariants(const Fixture& f, const Tensor& noisy, const Tensor& asked) {
  const int64_t start = f.dim("start");
  EXPECT_FALSE(asked.slice(1, 0, start).any().item<bool>());
  EXPECT_FALSE((noisy == f.mask_id()).slice(1, 0, start).any().item<bool>());
  const Tensor hidden = (noisy == f.mask_id()).slice(1, start), loss = asked.slice(1, start);
  EXPECT_TRUE(hidden.logical_or(~loss).all().item<bool>());
  // Hidden but not asked for: the tail, which is hidden in every row.
  const Tensor tail = hidden.logical_and(~loss);
  EXPECT_TRUE(tail.slice(1, 1).logical_or(~tail.slice(1, 0, -1)).all().item<bool>());
}

void check_random(const Fixture& f) {
  const json& hyper = f.hyper();
  const bool coupled = hyper.at("method") == "coupled";
  const MaskingOptions o{.pattern = Pattern::kBernoulli,
                         .views = hyper.at("mask_times_per_sample"),
                         .coupled = coupled,
                         .tokens = scope_of(hyper),
                         .hide_rest = true,
                         .min_rate = hyper.at("lower_p"),
                         .max_rate = hyper.at("upper_p")};
  check_invariants(f, f.at("expected.noisy_ids"), f.at("expected.loss_mask"));
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Rows got = rows_of(f, o, {seed});
    EXPECT_LE(got.noisy.size(0), f.dim("B") * o.views * (coupled ? 2 : 1));
    check_invariants(f, got.noisy, got.asked);
  }
}

}  // namespace

void add_trace_rows(const json& fixture, const path& folder) {
  const bool replay = fixture.at("hyper").at("method") == "TraceRL";
  add_test("TraceRows", fixture.at("name"), [=] {
    const Fixture f(fixture, folder);
    replay ? check_trace(f) : check_random(f);
  });
}

}  // namespace gdsd::golden
