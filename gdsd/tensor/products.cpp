#include "gdsd/tensor/products.h"

#include <ATen/Parallel.h>

#include "gdsd/tensor/cpu_kernels.h"

namespace gdsd {

namespace {

constexpr int64_t kRows = 192;               // of a task: many tiles high
constexpr int64_t kPart = int64_t{1} << 20;  // multiplications worth a thread

bool ours(const Tensor& x) {
  return x.is_cpu() && kernels_take(x) &&
         makes_products(kernel_instruction_set(), x.scalar_type() == at::kBFloat16);
}

/// A matrix whose rows may lie apart, its numbers not.
Tensor by_rows(const Tensor& x) {
  return x.stride(-1) == 1 || x.size(-1) == 1 ? x : x.contiguous();
}

/// y = base + x B, in tasks of one panel of columns and kRows rows. B is the weight W [k, out], or,
/// `transposed`, of W [out, k]. A thread packs a panel before the first of its tasks.
void multiply(const Tensor& x_, const Tensor& w_, bool transposed, const Tensor& base_,
              const Tensor& y) {
  const Tensor x = by_rows(x_), w = by_rows(w_), base = base_.defined() ? by_rows(base_) : base_;
  const int64_t n = x.size(0), k = x.size(1), out = y.size(1), blocks = (n + kRows - 1) / kRows;
  const int64_t base_row = base.defined() && base.dim() == 2 ? base.stride(0) : 0;
  with_kernels(x, [&](const auto& kernels) {
    const auto& table = kernels.table;
    const int64_t panels = (out + table.panel - 1) / table.panel;
    auto tasks = [&](int64_t first, int64_t end) {
      const auto packed = scratch(table.packed_size(k, table.panel)),
                 rows = scratch(table.linear_scratch(k));
      int64_t there = -1;
      for (int64_t task = first; task < end; ++task) {
        const int64_t j = task / blocks * table.panel, i = task % blocks * kRows;
        const int64_t columns = std::min(table.panel, out - j);
        if (j != there && transposed)
          table.pack_transposed(kernels.of(w) + j * w.stride(0), w.stride(0), columns, k,
                                packed.get());
        else if (j != there)
          table.pack(kernels.of(w) + j, w.stride(0), k, columns, packed.get());
        there = j;
        auto* from = base.defined() ? kernels.of(base) + i * base_row + j : nullptr;
        table.linear(kernels.of(x) + i * x.stride(0), x.stride(0), std::min(kRows, n - i), k,
                     packed.get(), columns, from, base_row, kernels.of(y) + i * y.stride(0) + j,
                     y.stride(0), rows.get());
      }
    };
    const int64_t each = std::min(n, kRows) * k * table.panel;
    at::parallel_for(0, panels * blocks, 1 + kPart / (each + 1), tasks);
  });
}

}  // namespace

Tensor linear_forward(const Tensor& x, const Tensor& weight, const Tensor& base) {
  if (!ours(x)) return base.defined() ? at::addmm(base, x, weight.t()) : x.mm(weight.t());
  Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
  multiply(x, weight, /*transposed=*/true, base, y);
  return y;
}

void linear_forward_out(const Tensor& x, const Tensor& weight, Tensor y) {
  if (ours(x))
    multiply(x, weight, /*transposed=*/true, {}, y);
  else
    at::mm_out(y, x, weight.t());
}

void add_linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y) {
  if (ours(x))
    multiply(x, weight, /*transposed=*/true, y, y);
  else
    y.addmm_(x, weight.t());
}

Tensor linear_input_gradient(const Tensor& d, const Tensor& weight) {
  if (!ours(d)) return d.mm(weight);
  Tensor d_x = at::empty({d.size(0), weight.size(1)}, d.options());
  multiply(d, weight, /*transposed=*/false, {}, d_x);
  return d_x;
}

void add_linear_input_gradient(const Tensor& d, const Tensor& weight, const Tensor& d_x) {
  if (ours(d))
    multiply(d, weight, /*transposed=*/false, d_x, d_x);
  else
    d_x.addmm_(d, weight);
}

Tensor linear_weight_gradient(const Tensor& d_, const Tensor& x_) {
  if (!ours(d_)) return d_.t().mm(x_);
  const Tensor d = by_rows(d_), x = by_rows(x_);
  const int64_t n = d.size(0), out = d.size(1), in = x.size(1);
  Tensor d_w = at::empty({out, in}, d.options().dtype(at::kFloat));
  const int64_t threads = at::get_num_threads();
  with_kernels(d, [&](const auto& kernels) {
    const auto& table = kernels.table;
    // A task is a panel of columns of a block of rows of d_w; for each block x is packed anew.
    const int64_t panels = (in + table.panel - 1) / table.panel;
    const int64_t blocks = threads == 1 ? 1 : (2 * threads + panels - 1) / panels;
    const int64_t height = (out + blocks - 1) / blocks;
    auto tasks = [&](int64_t first, int64_t end) {
      const auto memory = scratch(table.linear_gradient_scratch(height));
      for (int64_t task = first, next; task < end; task = next) {
        next = std::min(end, (task / panels + 1) * panels);  // those of one block at once
        const int64_t i = task / panels * height, j = task % panels * table.panel;
        const int64_t rows = std::min(height, out - i),
                      columns = std::min(in - j, (next - task) * table.panel);
        if (rows > 0)
          table.linear_gradient(kernels.of(d) + i, d.stride(0), kernels.of(x) + j, x.stride(0), n,
                                rows, columns, d_w.mutable_data_ptr<float>() + i * in + j, in,
                                memory.get());
      }
    };
    at::parallel_for(0, blocks * panels, 1 + kPart / (n * height * table.panel + 1), tasks);
  });
  return d_w;
}

}  // namespace gdsd
