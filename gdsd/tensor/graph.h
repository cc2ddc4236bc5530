// Work of a device that is recorded once and done again as a whole: a CUDA graph, or what a test puts
// in its place. The host then launches one thing where it launched thousands.
#pragma once

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "gdsd/tensor/constants.h"

namespace gdsd {

class Graph {
 public:
  virtual ~Graph() = default;
  /// Does the recorded work on what its tensors hold now. The host does not wait for it.
  virtual void replay() = 0;
};

/// Records what `body` asks of the device; nothing is computed yet. Replays read and write the same
/// memory: what goes in and comes out are tensors that live as long as the graph, and whatever the
/// host computes within `body` (sizes, counts, numbers passed by value) stays what it was.
using GraphRecorder = std::function<std::unique_ptr<Graph>(const std::function<void()>& body)>;

/// CUDA graphs with a memory pool each; empty where the library for them (gdsd/cuda_graph) or a GPU
/// is missing. Recording throws c10::Error when `body` waits for the device.
GraphRecorder cuda_recorder();

/// What a model keeps to do again, by name; the two last used.
class Recordings {
 public:
  explicit Recordings(GraphRecorder recorder) : record(std::move(recorder)) {}

  const GraphRecorder record;

  /// Of one name all are of one type.
  template <class T, class Make>
  std::shared_ptr<T> find(const std::string& name, Make&& make) {
    auto at = std::find_if(kept_.begin(), kept_.end(),
                           [&](const auto& entry) { return entry.first == name; });
    if (at == kept_.end()) {
      while (kept_.size() >= kMost) kept_.pop_back();  // before the new one takes memory
      at = kept_.emplace(kept_.begin(), name, make());
    }
    kept_.splice(kept_.begin(), kept_, at);
    return std::static_pointer_cast<T>(kept_.front().second);
  }

 private:
  static constexpr size_t kMost = 2;
  std::list<std::pair<std::string, std::shared_ptr<void>>> kept_;
};

}  // namespace gdsd
