#include "gdsd/tensor/constants.h"

#include <map>
#include <mutex>
#include <tuple>

namespace gdsd {

namespace {

/// Lists kept at once. A block of denoising steps has two or three a step.
constexpr size_t kMostKept = 4096;

using Name = std::tuple<at::ScalarType, std::string, std::vector<int64_t>>;

thread_local std::vector<Tensor>* holder = nullptr;

}  // namespace

Tensor copied(const std::vector<int64_t>& values, at::ScalarType type, at::Device device) {
  const Tensor host = to_tensor(values).to(type);
  return device.is_cuda() ? host.pin_memory().to(device, /*non_blocking=*/true) : host.to(device);
}

Tensor constant(const std::vector<int64_t>& values, at::ScalarType type, at::Device device) {
  if (!device.is_cuda()) {  // where making it again costs what finding it would
    const Tensor made = copied(values, type, device);
    if (holder) holder->push_back(made);
    return made;
  }
  static std::mutex mutex;
  static std::map<Name, Tensor> kept;
  const std::lock_guard lock(mutex);
  Name name{type, device.str(), values};
  if (kept.size() >= kMostKept && !kept.contains(name))
    std::erase_if(kept, [](const auto& entry) { return entry.second.use_count() == 1; });
  Tensor& found = kept[std::move(name)];
  if (!found.defined()) found = copied(values, type, device);
  if (holder) holder->push_back(found);
  return found;
}

HeldConstants::HeldConstants() : outer_(holder) { holder = &held_; }
HeldConstants::~HeldConstants() { holder = outer_; }

}  // namespace gdsd
