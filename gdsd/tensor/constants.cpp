#include "gdsd/tensor/constants.h"

#include <map>
#include <mutex>
#include <tuple>

namespace gdsd {

namespace {

/// Numbers kept at once, in all lists. A block of denoising steps has two or three lists a step, of a
/// number for a sequence or a row.
constexpr size_t kMostKept = size_t{1} << 22;

using Name = std::tuple<at::ScalarType, std::string, std::vector<int64_t>>;

thread_local std::vector<Tensor>* holder = nullptr;

}  // namespace

Tensor copied(const std::vector<int64_t>& values, at::ScalarType type, at::Device device) {
  const Tensor host = to_tensor(values).to(type);
  return device.is_cuda() ? host.pin_memory().to(device, /*non_blocking=*/true) : host.to(device);
}

Tensor constant(const std::vector<int64_t>& values, at::ScalarType type, at::Device device) {
  static std::mutex mutex;
  static std::map<Name, Tensor> kept;
  static size_t numbers = 0;
  const std::lock_guard lock(mutex);
  Name name{type, device.str(), values};
  if (numbers + values.size() > kMostKept && !kept.contains(name)) {
    std::erase_if(kept, [](const auto& entry) { return entry.second.use_count() == 1; });
    numbers = 0;
    for (const auto& [key, tensor] : kept) numbers += std::get<2>(key).size();
  }
  Tensor& found = kept[std::move(name)];
  if (!found.defined()) {
    found = copied(values, type, device);
    numbers += values.size();
  }
  if (holder) holder->push_back(found);
  return found;
}

HeldConstants::HeldConstants() : outer_(holder) { holder = &held_; }
HeldConstants::~HeldConstants() { holder = outer_; }

}  // namespace gdsd
