// The GPU kernels' arithmetic on logits on the host: against formulas in float64, and the token that is
// drawn against the draw's definition.
#include <gtest/gtest.h>

#include "tests/core/cuda_fixture.h"

namespace gdsd::cuda {
namespace {

const std::vector<int64_t> kVocabularies{1, 5, 97, 128, 1003};

/// What softmax(z) is like, in float64.
struct Softmax {
  double log_z = 0, entropy = 0, margin = 0;
};
template <class T>
Softmax exact_softmax(const T* z, int64_t V) {
  double largest = -INFINITY, second = -INFINITY, total = 0;
  for (int64_t v = 0; v < V; ++v) {
    const double x = to_float(z[v]);
    second = std::max(second, std::min(x, largest));
    largest = std::max(largest, x);
  }
  for (int64_t v = 0; v < V; ++v) total += std::exp(to_float(z[v]) - largest);
  Softmax out{.log_z = largest + std::log(total)};
  for (int64_t v = 0; v < V; ++v) {
    const double log_p = to_float(z[v]) - out.log_z;
    if (log_p > -1e4) out.entropy -= std::exp(log_p) * log_p;
  }
  out.margin = std::exp(largest - out.log_z) - std::exp(std::max(second, -1e4) - out.log_z);
  return out;
}

/// The token that the definition draws.
template <class T>
int64_t exact_draw(const T* z, const Proposed<T>& how, Key key) {
  double most = -INFINITY;
  int64_t token = 0;
  const int64_t usable = how.usable < 0 ? how.V : std::min(how.usable, how.V);
  for (int64_t v = 0; v < usable; ++v) {
    if (std::find(how.banned.begin(), how.banned.end(), v) != how.banned.end()) continue;
    double score = to_float(z[v]);
    if (how.temperature > 0)
      score = score / how.temperature - std::log(-std::log1p(-uniform_rest(key, v)));
    if (score > most) most = score, token = v;
  }
  return token;
}

template <class T>
struct Answer {
  std::vector<int64_t> key, token;
  std::vector<float> log_p, entropy, margin;

  Answer(int64_t R, Proposed<T>& how) : token(R), log_p(R), entropy(R), margin(R) {
    for (int64_t r = 0; r < R; ++r) key.push_back(static_cast<int64_t>(Key{5}.fork("row", r).bits));
    how.rows = R;
    how.key = key.data();
    how.token = token.data();
    how.log_p = log_p.data();
    how.entropy = entropy.data();
    how.margin = margin.data();
  }
};

/// Proposals for rows of z [R, V], against the definition.
template <class T>
void expect_defined(const CudaTable<T>& table, const std::vector<T>& z, Proposed<T> how) {
  const int64_t R = std::ssize(z) / how.V;
  Answer<T> got(R, how);
  how.z = z.data();
  table.propose(how, nullptr);
  for (int64_t r = 0; r < R; ++r) {
    const T* row = z.data() + r * how.V;
    const Softmax exact = exact_softmax(row, how.V);
    const Key key{static_cast<uint64_t>(got.key[r])};
    ASSERT_EQ(got.token[r], exact_draw(row, how, key)) << "V " << how.V << " row " << r;
    EXPECT_NEAR(got.log_p[r], to_float(row[got.token[r]]) - exact.log_z, 2e-5);
    EXPECT_NEAR(got.entropy[r], exact.entropy, 1e-4);
    EXPECT_NEAR(got.margin[r], exact.margin, 1e-5);
  }
}

TEST(CudaLogits, ProposeWhatTheDefinitionDraws) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool slow) {
    for (int64_t V : kVocabularies)
      for (double temperature : {0.0, 0.05, 1.0, 3.0})
        for (double scale : {0.5, 8.0}) {
          if (slow && (scale < 1 || temperature > 1)) continue;
          const auto z = numbers<T>((slow ? 4 : 200) * V, "z", scale);
          expect_defined(table, z, {.V = V, .temperature = temperature});
          expect_defined(table, z,
                         {.V = V,
                          .usable = (V + 1) / 2,
                          .banned = {0, 3, -1, static_cast<int32_t>(V / 4)},
                          .temperature = temperature});
        }
  });
}

// At such a temperature float32 cannot tell nearly equal logits apart: many candidates, also of one
// lane.
TEST(CudaLogits, NearTiesAreDecidedInFloat64) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool slow) {
    std::vector<T> z(static_cast<size_t>(slow ? 8 : 50) * 1003);
    for (size_t i = 0; i < z.size(); ++i)  // 20 and the next six numbers of float32
      z[i] = from_float<T>(20 + static_cast<float>(i % 7) * 0x1p-19f);
    expect_defined(table, z, {.V = 1003, .temperature = 1e-6});
  });
}

TEST(CudaLogits, NoiseIsResolvedBelowAWordsDigits) {
  const Key key{7};
  for (uint32_t rest : {0u, 1u, 5u, 1000u, 1u << 19, (1u << 20) - 1, 1u << 20, 1u << 23, 1u << 24,
                        (1u << 24) + 1, 1u << 31, ~0u - 200, ~0u - 1, ~0u})
    for (int64_t v : {0, 3, 126463})
      EXPECT_NEAR(rough_noise(key, v, ~rest), noise(key, v, ~rest), 2e-4) << rest;
  // The rarest noise is the largest: of flat logits it decides.
  constexpr int64_t kV = 20000;
  expect_defined(host_table<float>(), std::vector<float>(3 * kV), {.V = kV, .temperature = 1});
}

TEST(CudaLogits, LogitsOfMinusInfinityAreNeverTaken) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool) {
    for (int64_t V : {9, 300}) {
      auto z = numbers<T>(V, "z", 4);
      for (int64_t v = 0; v < V; ++v)
        if (v % 3 != 1 || v == 1) z[v] = from_float<T>(-INFINITY);
      for (double temperature : {0.0, 1.0})
        expect_defined(table, z, {.V = V, .temperature = temperature});
      Proposed<T> nothing{.z = z.data(), .V = V, .usable = 1, .temperature = 1};
      Answer<T> got(1, nothing);
      table.propose(nothing, nullptr);
      EXPECT_EQ(got.token[0], 0);
    }
  });
}

TEST(CudaLogits, TheLowestOfEqualLogitsIsTaken) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool) {
    constexpr int64_t kV = 700;
    for (int64_t first : {0, 3, 255, 300, 698}) {
      std::vector<T> z(kV, from_float<T>(-1));
      for (int64_t v : {first, first + 1, int64_t{699}}) z[v] = from_float<T>(2);
      Proposed<T> how{.z = z.data(), .V = kV};
      Answer<T> got(1, how);
      table.propose(how, nullptr);
      EXPECT_EQ(got.token[0], first);
      EXPECT_EQ(got.margin[0], 0);
    }
  });
}

TEST(CudaLogits, LogProbsAndTheirGradientAreTheirFormulas) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool) {
    for (int64_t V : kVocabularies) {
      constexpr int64_t kR = 4;
      const auto z = numbers<T>(kR * V, "z", 6);
      const std::vector<int64_t> target{0, V - 1, V / 2, V / 3};
      const auto g = numbers<float>(kR, "g");
      std::vector<float> log_z(kR), log_p(kR);
      table.log_probs({z.data(), kR, V, target.data(), log_z.data(), log_p.data()}, nullptr);
      auto d = z;
      table.log_probs_gradient({d.data(), kR, V, log_z.data(), target.data(), g.data()}, nullptr);
      for (int64_t r = 0; r < kR; ++r) {
        const double exact = exact_softmax(z.data() + r * V, V).log_z;
        EXPECT_NEAR(log_z[r], exact, 1e-5);
        EXPECT_NEAR(log_p[r], at(z, r * V + target[r]) - exact, 2e-5);
        for (int64_t v = 0; v < V; ++v) {
          const double p = std::exp(at(z, r * V + v) - exact);
          EXPECT_LE(error(d[r * V + v], ((v == target[r]) - p) * g[r]), 60);
        }
      }
    }
  });
}

}  // namespace
}  // namespace gdsd::cuda
