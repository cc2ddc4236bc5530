#include "gdsd/tensor/graph.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include "gdsd/cuda_graph/cuda_graph.h"

namespace gdsd {

namespace {

/// The functions of libgdsd_cuda_graph; null where it cannot be loaded.
struct Library {
  decltype(&gdsd_record_graph) record = nullptr;
  decltype(&gdsd_replay_graph) replay = nullptr;
  decltype(&gdsd_forget_graph) forget = nullptr;
};

/// It finds libtorch's CUDA half among what is loaded.
Library load_library() {
  if (!at::hasCUDA()) return {};
  void* file = dlopen("libgdsd_cuda_graph.so", RTLD_NOW | RTLD_LOCAL);
  if (!file) return {};
  auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(file, name));
    if (!function) throw std::logic_error(concat("[graph] libgdsd_cuda_graph.so has no ", name));
  };
  Library out;
  find(out.record, "gdsd_record_graph");
  find(out.replay, "gdsd_replay_graph");
  find(out.forget, "gdsd_forget_graph");
  return out;
}

class CudaGraph : public Graph {
 public:
  CudaGraph(const Library& library, const std::function<void()>& body)
      : library_(library),
        graph_(library.record([](void* f) { (*static_cast<const std::function<void()>*>(f))(); },
                              const_cast<std::function<void()>*>(&body))) {}
  ~CudaGraph() override { library_.forget(graph_); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void replay() override { library_.replay(graph_); }

 private:
  const Library library_;
  void* const graph_;
};

}  // namespace

GraphRecorder cuda_recorder() {
  static const Library library = load_library();
  if (!library.record) return {};
  return
      [](const std::function<void()>& body) { return std::make_unique<CudaGraph>(library, body); };
}

}  // namespace gdsd
