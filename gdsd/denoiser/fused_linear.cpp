#include "gdsd/denoiser/fused_linear.h"

#include "gdsd/tensor/products.h"

namespace gdsd {

FusedLinears::FusedLinears(const Block& block, const std::vector<Role>& roles, at::ScalarType type)
    : roles_(roles) {
  std::vector<Tensor> first;
  int64_t begin = 0;
  for (Role role : roles) {
    const Linear& linear = block[role];
    One one;
    one.weight = linear.weight.to(type);
    if (linear.bias.defined()) one.bias = linear.bias.to(type);
    if (const LowRank& adapter = linear.adapter; adapter.A.defined()) {
      if (linear.augmented && linear.weight.scalar_type() == type) {
        one.both = linear.augmented->with(adapter);
        one.B = one.both.slice(1, linear.weight.size(1));
      } else {
        one.B = (adapter.B * adapter.scale).to(type);
      }
      one.scale = adapter.scale;
      one.begin = begin;
      one.rank = adapter.A.size(0);
      begin += one.rank;
      first.push_back(adapter.A);
    }
    all_.push_back(std::move(one));
  }
  if (!first.empty()) A_ = (first.size() == 1 ? first[0] : at::cat(first)).to(type);
}

Tensor FusedLinears::low(const Tensor& x) const {
  return A_.defined() ? linear_forward(x, A_) : Tensor();
}

Tensor FusedLinears::apply(size_t i, const Tensor& x, const Tensor& low, const Tensor& base) const {
  const One& one = all_[i];
  Tensor y = base;
  if (one.bias.defined()) y = y.defined() ? y + one.bias : one.bias;
  if (one.both.defined()) {
    const Tensor wide = at::cat({x, part(one, low)}, 1);  // [n, in + r]
    return y.defined() ? at::addmm(y, wide, one.both.t()) : wide.mm(one.both.t());
  }
  y = linear_forward(x, one.weight, y);
  if (one.B.defined()) add_linear_forward(part(one, low), one.B, y);
  return y;
}

Tensor FusedLinears::gradient_of_low(const std::vector<Tensor>& d_y) const {
  if (!A_.defined()) return {};
  std::vector<Tensor> parts;
  for (size_t i = 0; i < all_.size(); ++i)
    if (all_[i].B.defined()) parts.push_back(linear_input_gradient(d_y[i], all_[i].B));
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

void FusedLinears::backward(const Tensor& x, const Tensor& low, const std::vector<Tensor>& d_y,
                            const Block& wanted, Block& grads, Tensor* d_x) const {
  const Tensor d_low = gradient_of_low(d_y);
  Tensor d_A;  // [Σ r, in]
  for (size_t i = 0; i < all_.size(); ++i) {
    const One& one = all_[i];
    const Linear& like = wanted[roles_[i]];
    Linear& to = grads.matrices[static_cast<size_t>(roles_[i])];
    if (like.weight.defined())
      to.weight = linear_weight_gradient(d_y[i], x).to(like.weight.scalar_type());
    if (like.bias.defined()) to.bias = d_y[i].sum(0).to(like.bias.scalar_type());
    if (like.adapter.A.defined()) {
      if (!d_A.defined()) d_A = linear_weight_gradient(d_low, x);
      to.adapter.A = d_A.slice(0, one.begin, one.begin + one.rank).to(like.adapter.A.scalar_type());
    }
    if (like.adapter.B.defined())
      to.adapter.B =
          linear_weight_gradient(d_y[i], part(one, low)).to(like.adapter.B.scalar_type()) *
          one.scale;
  }
  if (!d_x) return;
  auto add = [&](const Tensor& d, const Tensor& weight) {
    if (d_x->defined())
      add_linear_input_gradient(d, weight, *d_x);
    else
      *d_x = linear_input_gradient(d, weight);
  };
  if (d_low.defined()) add(d_low, A_);
  for (size_t i = 0; i < all_.size(); ++i) add(d_y[i], all_[i].weight);
}

}  // namespace gdsd
