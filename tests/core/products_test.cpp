// Products of a linear layer: the kernels of every instruction set that this CPU has, and the functions
// of tensors that choose between them and libtorch's.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "gdsd/tensor/products.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

class Products : public Kernels {};

/// Not multiples of a vector, a tile, a word, or a task.
/// The last are of adapters: few columns inside.
constexpr std::array<std::array<int64_t, 3>, 11> kShapes{{{1, 1, 1},
                                                          {5, 3, 17},
                                                          {50, 33, 100},
                                                          {7, 64, 64},
                                                          {193, 48, 130},
                                                          {530, 9, 70},
                                                          {50, 1, 15},
                                                          {50, 3, 64},
                                                          {50, 7, 344},
                                                          {50, 8, 17},
                                                          {50, 33, 1}}};

/// base + x B by the kernels themselves; B is wᵀ, or w.
template <class T>
Tensor by_kernel(const KernelsOf<T>& k, const Tensor& x, const Tensor& w, bool transposed,
                 const Tensor& base) {
  const int64_t in = x.size(1), out = w.size(transposed ? 0 : 1);
  const auto packed = scratch(k.table.packed_size(in, out)),
             rows = scratch(k.table.linear_scratch(in));
  if (transposed)
    k.table.pack_transposed(k.of(w), w.stride(0), out, in, packed.get());
  else
    k.table.pack(k.of(w), w.stride(0), in, out, packed.get());
  Tensor y = at::full({x.size(0), out}, 7, x.options());
  k.table.linear(k.of(x), x.stride(0), x.size(0), in, packed.get(), out,
                 base.defined() ? k.of(base) : nullptr, base.defined() && base.dim() == 2 ? out : 0,
                 k.of(y), out, rows.get());
  return y;
}

TEST_P(Products, AProductIsItsFormula) {
  for (at::ScalarType type : kTypes)
    for (const auto& [n, in, out] : kShapes) {
      const Tensor x = noise({n, in + 3}, "x", type).slice(1, 1, 1 + in),
                   w = noise({out, in}, "w", type), bias = noise({out}, "b", type),
                   base = noise({n, out}, "s", type);
      const Tensor exact = x.to(at::kDouble).mm(w.to(at::kDouble).t());
      const double bound = type == at::kFloat ? 16 : 2.01;
      with_kernels(x, [&](const auto& k) {
        EXPECT_LE(error(by_kernel(k, x, w, true, {}), exact), bound)
            << n << " " << in << " " << out;
        EXPECT_LE(error(by_kernel(k, x, w.t().contiguous(), false, bias), exact + bias), bound);
        EXPECT_LE(error(by_kernel(k, x, w, true, base), exact + base), bound);
      });
    }
}

TEST_P(Products, AWeightsGradientIsItsFormula) {
  for (at::ScalarType type : kTypes)
    for (const auto& [n, in, out] : kShapes) {
      const Tensor x = noise({n, in + 3}, "x", type).slice(1, 1, 1 + in),
                   d = noise({n, out + 1}, "d", type).slice(1, 0, out);
      const Tensor got = at::full({out, in + 1}, 7, at::kFloat);
      with_kernels(x, [&](const auto& k) {
        const auto memory = scratch(k.table.linear_gradient_scratch(out));
        k.table.linear_gradient(k.of(d), d.stride(0), k.of(x), x.stride(0), n, out, in,
                                got.template mutable_data_ptr<float>(), in + 1, memory.get());
      });
      EXPECT_LE(error(got.slice(1, 0, in), d.to(at::kDouble).t().mm(x.to(at::kDouble))), 60)
          << n << " " << in << " " << out;
      EXPECT_TRUE(at::equal(got.select(1, in), at::full({out}, 7, at::kFloat)));
    }
}

// A row's numbers are the same bits whatever rows are beside it, whole or a part of a tile.
TEST_P(Products, AProductsRowsDoNotKnowEachOther) {
  for (at::ScalarType type : kTypes) {
    const Tensor x = noise({200, 70}, "x", type), w = noise({90, 70}, "w", type);
    with_kernels(x, [&](const auto& k) {
      const Tensor all = by_kernel(k, x, w, true, {});
      for (const auto& [first, end] : {std::pair{0, 1}, {3, 8}, {7, 200}}) {
        EXPECT_TRUE(
            at::equal(by_kernel(k, x.slice(0, first, end), w, true, {}), all.slice(0, first, end)));
        const Tensor columns = by_kernel(k, x, w.slice(0, first, std::min(end, 90)), true, {});
        EXPECT_TRUE(at::equal(columns, all.slice(1, first, std::min(end, 90))));
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, Products, kEveryInstructionSet,
                         [](const auto& kernels) { return to_text(kernels.param); });

// By whichever was chosen, on one thread and on three, of rows and columns that lie apart.
TEST(LinearProducts, AreTheirFormulas) {
  const int before = at::get_num_threads();
  for (at::ScalarType type : kTypes)
    for (const auto& [n, in, out] : kShapes) {
      const Tensor x = noise({n, 2 * in}, "x", type).slice(1, in),
                   w = noise({in, out}, "w", type).t(), d = noise({n, out}, "d", type),
                   bias = noise({out}, "b", type), wide_x = x.to(at::kDouble),
                   wide_w = w.to(at::kDouble), wide_d = d.to(at::kDouble);
      std::vector<Tensor> first;
      for (int threads : {1, 3}) {
        at::set_num_threads(threads);
        Tensor y = d.clone(), d_x = x.clone();
        add_linear_forward(x, w, y);
        add_linear_input_gradient(d, w, d_x);
        const std::vector<Tensor> got{linear_forward(x, w),
                                      linear_forward(x, w, bias),
                                      y,
                                      linear_input_gradient(d, w),
                                      d_x,
                                      linear_weight_gradient(d, x)};
        const Tensor product = wide_x.mm(wide_w.t()), gradient = wide_d.mm(wide_w);
        const std::vector<Tensor> exact{product,  product + bias, product + d,
                                        gradient, gradient + x,   wide_d.t().mm(wide_x)};
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_LE(error(got[i], exact[i]), got[i].scalar_type() == at::kFloat ? 60 : 4)
              << i << " " << n << " " << in << " " << out;
        if (first.empty()) first = got;
        for (size_t i = 0; i < got.size() && rows_are_apart(type); ++i)
          EXPECT_TRUE(at::equal(got[i], first[i])) << i;
      }
    }
  at::set_num_threads(before);
}

TEST(LinearProducts, OfNoRowsAreNothingAndZeros) {
  const Tensor x = at::empty({0, 5}), w = at::ones({3, 5}), d = at::empty({0, 3});
  EXPECT_EQ(linear_forward(x, w).sizes(), at::IntArrayRef({0, 3}));
  EXPECT_EQ(linear_input_gradient(d, w).sizes(), at::IntArrayRef({0, 5}));
  EXPECT_TRUE(at::equal(linear_weight_gradient(d, x), at::zeros({3, 5})));
}

}  // namespace
}  // namespace gdsd
