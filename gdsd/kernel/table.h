// The table of the instruction set that this file is compiled for.
#pragma once

#include "gdsd/kernel/attention_gradient.h"
#include "gdsd/kernel/gumbel.h"
#include "gdsd/kernel/linear.h"
#include "gdsd/kernel/logits.h"
#include "gdsd/kernel/rowwise.h"

namespace gdsd::GDSD_ISA {

template <class T>
const KernelTable<T>& table() {
  static constexpr KernelTable<T> kTable{
      .attention_scratch = attention_scratch<T>,
      .attention = attention<T>,
      .attention_gradient_scratch = attention_gradient_scratch<T>,
      .attention_gradient = attention_gradient<T>,
      .rms_norm = rms_norm<T>,
      .rms_norm_gradient = rms_norm_gradient<T>,
      .rotate = rotate<T>,
      .swiglu = swiglu<T>,
      .swiglu_gradient = swiglu_gradient<T>,
      .panel = kPanel,
      .packed_size = packed_floats<T>,
      .pack_transposed = pack_weight_transposed<T>,
      .pack = pack_weight<T>,
      .linear_scratch = linear_scratch<T>,
      .linear = linear<T>,
      .linear_gradient_scratch = linear_gradient_scratch<T>,
      .linear_gradient = linear_gradient<T>,
      .summarise = summarise<T>,
      .gumbel_candidates = gumbel_candidates<T>,
      .log_prob_gradient = log_prob_gradient<T>,
  };
  return kTable;
}

template const KernelTable<float>& table();
template const KernelTable<Bfloat16>& table();

}  // namespace gdsd::GDSD_ISA
