// Adapters: LoRA by the role of a matrix, so that none is silently missed.
// Hu et al. 2021, arXiv:2106.09685; rank-stabilised: Kalajdzievski 2023, arXiv:2312.03732.
#pragma once

#include <set>

#include "gdsd/base/key.h"
#include "gdsd/denoiser/transformer.h"

namespace gdsd {

struct LoraOptions {
  int64_t rank = 0;
  double alpha = 64;
  bool rslora = false;
  std::string targets = "all";
  std::string from;

  template <class F>
  void fields(F&& f) {
    f("rank", rank, "r of a new adapter, which alone is trained; 0 trains all weights");
    f("alpha", alpha, "the adapter's product is scaled by alpha / r");
    f("rslora", rslora, "scale by alpha / √r instead");
    f("targets", targets,
      "matrices of every block that are adapted: all, some of q,k,v,o,gate,up,down, or released: "
      "those the papers' list of names hits (on LLaDA q,k,v,up)");
    f("from", from, "PEFT folder of an adapter to go on from; it says rank, alpha and targets");
  }
  void validate() const;

  bool active() const { return rank > 0 || !from.empty(); }
};

/// The roles that `targets` names.
std::set<Role> target_roles(const std::string& targets, Family family);

/// A new adapter: A uniform in ±1/√in, B zero, so that it changes nothing yet. `base` is what its
/// adapter_config.json names as the model it belongs to.
Adapter new_adapter(const Architecture& architecture, const LoraOptions& options,
                    const std::string& base, Key key);

/// What merging made of an update, over all matrices merged so far.
struct MergeLoss {
  double update_squares = 0;  // ‖s B A‖²
  double lost_squares = 0;    // ‖(W + s B A) − its rounding‖²
  int64_t updated = 0;        // weights that s B A is not zero for
  int64_t unchanged = 0;      // of these, those that rounding left as they were
};

/// W + s B A, made in float32 and rounded once to the type of W.
Tensor merge(const Tensor& weight, const LowRank& part, MergeLoss& loss);

}  // namespace gdsd
