#include "gdsd/denoiser/fused_linear.h"

namespace gdsd {

FusedLinear::FusedLinear(const Linear& linear, at::ScalarType type)
    : weight(linear.weight.to(type)), scale(linear.adapter.scale) {
  if (linear.bias.defined()) bias = linear.bias.to(type);
  if (!linear.adapter.A.defined()) return;
  A = linear.adapter.A.to(type);
  B = (linear.adapter.B * scale).to(type);
}

Tensor FusedLinear::apply(const Tensor& x, const Tensor& base, Tensor& low) const {
  Tensor y = base;
  if (bias.defined()) y = y.defined() ? y + bias : bias;
  if (A.defined()) {
    low = x.mm(A.t());
    y = y.defined() ? at::addmm(y, low, B.t()) : low.mm(B.t());
    return y.addmm_(x, weight.t());
  }
  return y.defined() ? at::addmm(y, x, weight.t()) : x.mm(weight.t());
}

void FusedLinear::add_input_gradient(const Tensor& d_y, Tensor& d_x) const {
  if (A.defined()) {
    const Tensor d_low = d_y.mm(B);
    d_x = d_x.defined() ? d_x.addmm_(d_low, A) : d_low.mm(A);
  }
  d_x = d_x.defined() ? d_x.addmm_(d_y, weight) : d_y.mm(weight);
}

Linear FusedLinear::parameter_gradients(const Tensor& x, const Tensor& low, const Tensor& d_y,
                                        const Linear& wanted) const {
  Linear out;
  auto put = [](Tensor& to, const Tensor& like, auto&& make) {
    if (like.defined()) to = make().to(like.scalar_type());
  };
  put(out.weight, wanted.weight, [&] { return d_y.t().mm(x); });
  put(out.bias, wanted.bias, [&] { return d_y.sum(0); });
  put(out.adapter.A, wanted.adapter.A, [&] { return d_y.mm(B).t().mm(x); });
  put(out.adapter.B, wanted.adapter.B,
      [&] { return d_y.t().mm(low).to(wanted.adapter.B.scalar_type()) * scale; });
  return out;
}

}  // namespace gdsd
