// Reads the input as a model's config.json; one that is accepted must describe a possible model.
#include <cstdlib>

#include "gdsd/denoiser/model_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const gdsd::ModelConfig config =
        gdsd::parse_model_config({reinterpret_cast<const char*>(data), size}, "input");
    const gdsd::Architecture& a = config.architecture;
    if (a.width % a.heads != 0 || a.heads % a.kv_heads != 0 || a.layers < 1) std::abort();
    if (config.vocabulary.mask_id < 0 || config.vocabulary.mask_id >= a.vocabulary) std::abort();
    if (a.layers <= 64) gdsd::tensor_shapes(a);
  } catch (const gdsd::Error&) {
  }
  return 0;
}
