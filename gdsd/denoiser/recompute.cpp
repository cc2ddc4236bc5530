#include "gdsd/denoiser/recompute.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace gdsd {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A function that autograd's context can hold.
struct Body : torch::CustomClassHolder {
  explicit Body(std::function<Tensor(const variable_list&)> f) : call(std::move(f)) {}
  std::function<Tensor(const variable_list&)> call;
};

struct Recomputed : torch::autograd::Function<Recomputed> {
  static Tensor forward(AutogradContext* ctx, const c10::intrusive_ptr<Body>& body,
                        at::TensorList list) {
    const variable_list inputs = list.vec();
    ctx->save_for_backward(inputs);
    ctx->saved_data["body"] = c10::IValue::make_capsule(body);
    return body->call(inputs);  // autograd is off in here
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const auto body = c10::static_intrusive_pointer_cast<Body>(ctx->saved_data["body"].toCapsule());
    const at::AutoGradMode with_gradient(true);
    variable_list inputs, wanted;
    for (size_t i = 0; i < saved.size(); ++i) {
      inputs.push_back(saved[i].detach().requires_grad_(ctx->needs_input_grad(i)));
      if (inputs[i].requires_grad()) wanted.push_back(inputs[i]);
    }
    const variable_list found = torch::autograd::grad({body->call(inputs)}, wanted, {grads[0]});
    variable_list out{Tensor()};  // the body has none
    for (size_t i = 0, next = 0; i < inputs.size(); ++i)
      out.push_back(inputs[i].requires_grad() ? found[next++] : Tensor());
    return out;
  }
};

}  // namespace

Tensor recomputed(std::function<Tensor(const std::vector<Tensor>&)> body,
                  const std::vector<Tensor>& inputs) {
  return Recomputed::apply(c10::make_intrusive<Body>(std::move(body)), at::TensorList(inputs));
}

}  // namespace gdsd
