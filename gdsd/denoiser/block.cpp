#include "gdsd/denoiser/block.h"

#include "gdsd/tensor/cpu_kernels.h"

namespace gdsd {

namespace {

bool all_equal(const std::vector<int64_t>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

}  // namespace

std::vector<Tensor*> Block::places() {
  std::vector<Tensor*> all{&attention_norm, &mlp_norm};
  for (Linear& linear : matrices)
    for (Tensor* t : {&linear.weight, &linear.bias, &linear.adapter.A, &linear.adapter.B})
      all.push_back(t);
  return all;
}

std::vector<Tensor*> Block::tensors() {
  auto all = places();
  std::erase_if(all, [](const Tensor* t) { return !t->defined(); });
  return all;
}

Tensor run_block(const Block& block, const Pass& pass, const Tensor& s, const Rows* rows) {
  return kernels_take(s) ? fused_block(block, pass, s, rows) : plain_block(block, pass, s, rows);
}

Tensor plain_block(const Block& block, const Pass& pass, Tensor s, const Rows* rows) {
  const int64_t h = pass.architecture.head_width();
  const double eps = pass.architecture.norm_epsilon;
  auto heads = [&](const Tensor& y) { return y.view({y.size(0), y.size(1) / h, h}); };  // [·, H, h]

  const Input n = rms_norm(s, block.attention_norm, eps);  // [N, D]
  const Tensor k = rotate(heads(project(n, block[Role::kK])), pass.rope);
  const Tensor v = heads(project(n, block[Role::kV]));

  // If sequences ask for different numbers of rows, queries are made for all, to stay one batch.
  const bool few = rows && all_equal(rows->counts);
  const Tensor q = project(few ? n.plain().index_select(0, rows->index) : n, block[Role::kQ]);
  Tensor a = attend(rotate(heads(q), few ? select(pass.rope, *rows) : pass.rope), k, v,
                    few ? rows->counts : pass.lengths, pass.lengths)
                 .flatten(1);
  if (rows) s = s.index_select(0, rows->index);
  if (rows && !few) a = a.index_select(0, rows->index);
  s = s + project(a, block[Role::kO]);

  const Input m = rms_norm(s, block.mlp_norm, eps);
  return s + project(at::silu(project(m, block[Role::kGate])) * project(m, block[Role::kUp]),
                     block[Role::kDown]);
}

}  // namespace gdsd
