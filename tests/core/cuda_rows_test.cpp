// The GPU kernels' row-wise arithmetic on the host, against formulas in float64 and against the kernels
// for CPUs.
#include <gtest/gtest.h>

#include "tests/core/cuda_fixture.h"

namespace gdsd::cuda {
namespace {

struct Size {
  int64_t n, D;
};
// One number, less than a pack, whole packs, more than a team's and all of these with a rest.
const std::vector<Size> kSizes{{3, 1}, {2, 7}, {4, 64}, {2, 131}, {1, 1024}, {3, 1003}};

TEST(CudaRows, NormIsItsFormula) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool) {
    for (const auto [n, D] : kSizes) {
      const auto x = numbers<T>(n * D, "x", 3), w = numbers<T>(D, "w");
      std::vector<T> y(n * D);
      std::vector<float> inverse(n);
      table.norm({x.data(), w.data(), n, D, 1e-5f, y.data(), inverse.data()}, nullptr);
      for (int64_t i = 0; i < n; ++i) {
        double squares = 0;
        for (int64_t d = i * D; d < (i + 1) * D; ++d) squares += at(x, d) * at(x, d);
        const double scale = 1 / std::sqrt(squares / static_cast<double>(D) + 1e-5);
        EXPECT_LE(error(inverse[i], scale), 20);
        for (int64_t d = 0; d < D; ++d)
          EXPECT_LE(error(y[i * D + d], at(x, i * D + d) * scale * at(w, d)), 20);
      }
    }
  });
}

/// Gradients of Σ d_y y + d_sum x in float64.
struct NormGradients {
  std::vector<double> d_x, d_w;
};
template <class T>
NormGradients exact_gradients(const NormGradient<T>& a) {
  NormGradients out{std::vector<double>(a.n * a.D), std::vector<double>(a.D)};
  for (int64_t i = 0; i < a.n; ++i) {
    double mean = 0;
    auto get = [&](const T* from, int64_t d) { return double{to_float(from[i * a.D + d])}; };
    auto weighed = [&](int64_t d) { return get(a.d_y, d) * to_float(a.w[d]); };
    for (int64_t d = 0; d < a.D; ++d)
      mean += weighed(d) * get(a.x, d) * a.inverse[i] / static_cast<double>(a.D);
    for (int64_t d = 0; d < a.D; ++d) {
      const double u = get(a.x, d) * a.inverse[i];
      out.d_x[i * a.D + d] =
          (weighed(d) - u * mean) * a.inverse[i] + (a.d_sum ? get(a.d_sum, d) : 0);
      out.d_w[d] += get(a.d_y, d) * u;
    }
  }
  return out;
}

TEST(CudaRows, NormGradientIsItsFormula) {
  auto sizes = kSizes;
  sizes.push_back({130, 9});  // more rows than runs of them
  for_each_table([&]<class T>(const CudaTable<T>& table, T, bool) {
    for (const auto [n, D] : sizes) {
      const auto x = numbers<T>(n * D, "x", 3), w = numbers<T>(D, "w"),
                 d_y = numbers<T>(n * D, "d_y"), d_sum = numbers<T>(n * D, "d_sum");
      std::vector<T> y(n * D), d_x(n * D);
      std::vector<float> inverse(n), d_w(D, 0.5f), scratch(norm_scratch(n, D));
      table.norm({x.data(), w.data(), n, D, 1e-5f, y.data(), inverse.data()}, nullptr);
      NormGradient<T> a{x.data(), w.data(), inverse.data(), d_y.data(), d_sum.data(),
                        n,        D,        d_x.data(),     d_w.data(), scratch.data()};
      table.norm_gradient(a, nullptr);
      const NormGradients exact = exact_gradients(a);
      for (int64_t i = 0; i < n * D; ++i) EXPECT_LE(error(d_x[i], exact.d_x[i]), 60);
      // A rounding for each row's u, and those of the sum.
      const double unit = (sizeof(T) == 2 ? 0x1p-9 : 0x1p-22) * static_cast<double>(n);
      for (int64_t d = 0; d < D; ++d) EXPECT_NEAR(d_w[d], exact.d_w[d] + 0.5, 3 * unit);

      const std::vector<T> summed = d_x;
      a.d_sum = nullptr;
      a.d_w = nullptr;
      table.norm_gradient(a, nullptr);
      for (int64_t i = 0; i < n * D; ++i)
        EXPECT_NEAR(at(summed, i) - at(d_sum, i), at(d_x, i), sizeof(T) == 2 ? 0.2 : 1e-4);
    }
  });
}

TEST(CudaRows, RotationIsThatOfTheKernelsForCpus) {
  constexpr int64_t kRows = 5, kPositions = 9;
  const std::vector<int64_t> position{0, 8, 3, 3, 1};
  for_each_table([&]<class T>(const CudaTable<T>& table, T, bool) {
    const KernelTable<T>& cpu = kernel_table<T>(InstructionSet::kPortable);
    for (const auto [heads, h] : {Size{1, 2}, Size{3, 6}, Size{2, 64}, Size{5, 20}})
      for (bool round : {false, true}) {
        auto angles = [&](auto f) {
          std::vector<float> out(kPositions * h);
          for (int64_t i = 0; i < kPositions * h; ++i)
            out[i] = rounded<Bfloat16>(static_cast<float>(f(0.3 * static_cast<double>(i))));
          return out;
        };
        const auto cos = angles([](double v) { return std::cos(v); }),
                   sin = angles([](double v) { return std::sin(v); });
        const auto x = numbers<T>(kRows * heads * h, "x");
        for (float sign : {1.0f, -1.0f}) {
          auto ours = x, theirs = x;
          table.rotate(
              {ours.data(), cos.data(), sin.data(), position.data(), kRows, heads, h, sign, round},
              nullptr);
          cpu.rotate(theirs.data(), heads * h, cos.data(), sin.data(), position.data(), kRows,
                     heads, h, sign, round);
          for (size_t i = 0; i < x.size(); ++i)
            EXPECT_LE(error(ours[i], to_float(theirs[i])), round && sizeof(T) == 2 ? 0 : 20);
        }
      }
  });
}

TEST(CudaRows, SwigluAndItsGradientAreTheirFormulas) {
  for_each_table([]<class T>(const CudaTable<T>& table, T, bool) {
    for (int64_t n : {1, 13, 512, 2051}) {
      auto gate = numbers<T>(n, "gate", 9);
      gate[0] = from_float<T>(-300);  // whose exponential overflows
      const auto up = numbers<T>(n, "up"), d_y = numbers<T>(n, "d_y");
      std::vector<T> y(n), d_gate(n), d_up(n);
      table.swiglu({gate.data(), up.data(), n, y.data()}, nullptr);
      table.swiglu_gradient({gate.data(), up.data(), d_y.data(), n, d_gate.data(), d_up.data()},
                            nullptr);
      for (int64_t i = 0; i < n; ++i) {
        const double x = at(gate, i), s = 1 / (1 + std::exp(-x));
        EXPECT_LE(error(y[i], x * s * at(up, i)), 60);
        EXPECT_LE(error(d_gate[i], at(d_y, i) * at(up, i) * s * (1 + x * (1 - s))), 60);
        EXPECT_LE(error(d_up[i], at(d_y, i) * x * s), 60);
      }
    }
  });
}

TEST(CudaRows, RoundingIsToTheNearestAndEvenOnTies) {
  for (uint32_t bits : {0x3f800000u, 0x3f808000u, 0x3f818000u, 0x3f808001u, 0x3f817fffu,
                        0x7f7fffffu, 0x00000001u, 0xbf808000u, 0xff800000u}) {
    const float x = std::bit_cast<float>(bits);
    const uint32_t low = bits & 0xffff, up = bits >> 16;
    const bool above = low > 0x8000 || (low == 0x8000 && up % 2 == 1);
    EXPECT_EQ(from_float<Bfloat16>(x).bits, up + above) << std::hex << bits;
  }
  EXPECT_TRUE(std::isnan(to_float(from_float<Bfloat16>(std::bit_cast<float>(0x7fffffffu)))));
}

}  // namespace
}  // namespace gdsd::cuda
