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

void Keeping::apply(Tensor& k, Tensor& v) const {
  if (!layer) return;
  if (!window) {
    *layer = {k, v};
    return;
  }
  k = layer->k.index_copy_(0, window->index, k);
  v = layer->v.index_copy_(0, window->index, v);
}

Tensor run_block(const Block& block, const Pass& pass, const Tensor& s, const Rows* rows) {
  return kernels_take(s) ? fused_block(block, pass, s, rows) : plain_block(block, pass, s, rows);
}

Tensor plain_block(const Block& block, const Pass& pass, Tensor s, const Rows* rows) {
  const int64_t h = pass.architecture.head_width();
  const double eps = pass.architecture.norm_epsilon;
  auto heads = [&](const Tensor& y) { return y.view({y.size(0), y.size(1) / h, h}); };  // [·, H, h]

  const Input n = rms_norm(s, block.attention_norm, eps);  // [N, D]
  Tensor k = rotate(heads(project(n, block[Role::kK])), pass.rope).flatten(1);
  Tensor v = project(n, block[Role::kV]);
  pass.keeping.apply(k, v);
  const auto& keys = pass.keeping.lengths ? *pass.keeping.lengths : pass.lengths;

  // If sequences ask for different numbers of rows, queries are made for all, to stay one batch.
  const bool few = rows && all_equal(rows->counts);
  const Tensor q = project(few ? n.plain().index_select(0, rows->index) : n, block[Role::kQ]);
  Tensor a = attend(rotate(heads(q), few ? select(pass.rope, *rows) : pass.rope), heads(k),
                    heads(v), few ? rows->counts : pass.lengths, keys)
                 .flatten(1);
  if (rows) s = s.index_select(0, rows->index);
  if (rows && !few) a = a.index_select(0, rows->index);
  s = s + project(a, block[Role::kO]);

  const Input m = rms_norm(s, block.mlp_norm, eps);
  return s + project(at::silu(project(m, block[Role::kGate])) * project(m, block[Role::kUp]),
                     block[Role::kDown]);
}

}  // namespace gdsd
