// Every kernel on the GPU against the same rows on the host, done twice with equal bits, and recorded
// in a graph. Exit code 0: all equal to rounding; 1: not; 77: there is no GPU.
#include <cinttypes>
#include <cstring>
#include <memory>
#include <string>

#include "gdsd/cuda/host_table.h"
#include "tests/cuda/gpu.h"
#include "tests/cuda/lanes.h"
#include "tests/cuda/numbers.h"

namespace gdsd::cuda {
namespace {

int failures = 0;

/// The same numbers in both memories.
template <class T>
struct Twin {
  explicit Twin(std::vector<T> from) : host(std::move(from)), gpu(host), before(host) {}
  explicit Twin(int64_t n) : Twin(std::vector<T>(n)) {}

  void reset() const { gpu.put(before); }

  std::vector<T> host;
  OnGpu<T> gpu;
  std::vector<T> before;
};

constexpr auto on_host = [](auto& twin) { return twin.host.data(); };
constexpr auto on_gpu = [](auto& twin) { return twin.gpu.data(); };

template <class T>
constexpr const char* type_name() {
  return sizeof(T) == 2 ? "bfloat16" : "float32";
}

void report(const std::string& what, const char* type, double worst, double most) {
  const bool ok = worst <= most;  // not of NaN
  failures += !ok;
  std::printf("%-44s %-9s %10.2f %8.0f  %s\n", what.c_str(), type, worst, most,
              ok ? "ok" : "FAILED");
}

/// The worst error of an output, in roundings.
template <class T>
double worst_error(const Twin<T>& out) {
  double worst = 0;
  const std::vector<T> got = out.gpu.get();
  for (size_t i = 0; i < got.size(); ++i) {
    const double e = error(got[i], to_float(out.host[i]));
    worst = e > worst || e != e ? e : worst;
  }
  return worst;
}
template <>
double worst_error(const Twin<int64_t>& out) {
  return out.gpu.get() == out.host ? 0 : INFINITY;
}

/// Runs run(table, side) on the host, then on the GPU: alone, again, and from a recorded graph.
/// Outputs must be as the host's to `most` roundings, and all three times the same bits.
template <class T, class Crew = SerialCrew, class F, class... Out>
void compare(const std::string& what, double most, F&& run, const Out&... out) {
  run(host_table<T, Crew>(), on_host, nullptr);
  cudaStream_t stream = nullptr;
  must(cudaStreamCreate(&stream), "cudaStreamCreate");
  auto on_stream = [&] { must(run(*cuda_table<T>(), on_gpu, stream), what.c_str()); };
  auto bytes = [&] {
    must(cudaStreamSynchronize(stream), what.c_str());
    std::string all;
    auto add = [&](const auto& twin) {
      const auto got = twin.gpu.get();
      all.append(reinterpret_cast<const char*>(got.data()), got.size() * sizeof(got[0]));
    };
    (add(out), ...);
    return all;
  };
  on_stream();
  const std::string first = bytes();
  double worst = 0;
  for (double e : {worst_error(out)...}) worst = e > worst || e != e ? e : worst;

  (out.reset(), ...);
  on_stream();
  if (bytes() != first) worst = INFINITY;

  (out.reset(), ...);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "capture");
  on_stream();
  must(cudaStreamEndCapture(stream, &graph), "capture");
  must(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate");
  must(cudaGraphLaunch(ready, stream), "cudaGraphLaunch");
  if (bytes() != first) worst = INFINITY;
  cudaGraphExecDestroy(ready);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
  report(what, type_name<T>(), worst, most);
}

std::string shape(const char* name, int64_t a, int64_t b) {
  return std::string(name) + " " + std::to_string(a) + " x " + std::to_string(b);
}

template <class T>
void norm(int64_t n, int64_t D) {
  const double most = sizeof(T) == 2 ? 3 : 60;
  Twin<T> x(numbers<T>(n * D, "x", 3)), w(numbers<T>(D, "w")), y(n * D);
  Twin<float> inverse(n);
  auto forward = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.norm({side(x), side(w), n, D, 1e-5f, side(y), side(inverse)}, on);
  };
  compare<T>(shape("norm", n, D), most, forward, y, inverse);

  Twin<T> d_y(numbers<T>(n * D, "d_y")), d_sum(numbers<T>(n * D, "d_sum")), d_x(n * D);
  Twin<float> d_w(numbers<float>(D, "d_w")), scratch(norm_scratch(n, D));
  inverse.gpu.put(inverse.host);
  auto backward = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.norm_gradient({side(x), side(w), side(inverse), side(d_y), side(d_sum), n, D,
                                side(d_x), side(d_w), side(scratch)},
                               on);
  };
  compare<T>(shape("norm's gradient", n, D), 4 * most, backward, d_x, d_w);
}

template <class T>
void rotation(int64_t n, int64_t heads, int64_t h, bool round) {
  std::vector<int64_t> places(n);
  for (int64_t i = 0; i < n; ++i) places[i] = i * 7 % 50;
  Twin<int64_t> position(places);
  Twin<float> cos(numbers<float>(50 * h, "cos")), sin(numbers<float>(50 * h, "sin"));
  Twin<T> x(numbers<T>(n * heads * h, "x"));
  auto run = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.rotate({side(x), side(cos), side(sin), side(position), n, heads, h, -1, round},
                        on);
  };
  compare<T>(shape(round ? "rotation, rounded" : "rotation", n * heads, h), sizeof(T) == 2 ? 2 : 10,
             run, x);
}

template <class T>
void swiglu(int64_t n) {
  Twin<T> gate(numbers<T>(n, "gate", 9)), up(numbers<T>(n, "up")), d_y(numbers<T>(n, "d_y"));
  Twin<T> y(n), d_gate(n), d_up(n);
  auto forward = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.swiglu({side(gate), side(up), n, side(y)}, on);
  };
  auto backward = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.swiglu_gradient({side(gate), side(up), side(d_y), n, side(d_gate), side(d_up)},
                                 on);
  };
  const double most = sizeof(T) == 2 ? 3 : 60;
  compare<T>(shape("SwiGLU", 1, n), most, forward, y);
  compare<T>(shape("SwiGLU's gradient", 1, n), most, backward, d_gate, d_up);
}

/// One lane that adds up 10^5 numbers in float32 is wrong by more than the GPU.
using Wide = Lanes<64>;

template <class T>
void proposal(int64_t R, int64_t V, double temperature, Banned banned, int64_t usable) {
  Twin<T> z(numbers<T>(R * V, "z", temperature > 0 ? 8 * temperature : 8));
  std::vector<int64_t> bits(R);
  for (int64_t r = 0; r < R; ++r) bits[r] = static_cast<int64_t>(Key{5}.fork("row", r).bits);
  Twin<int64_t> key(bits), token(R);
  Twin<float> log_p(R), entropy(R), margin(R);
  auto run = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.propose({side(z), R, V, usable, banned, temperature, side(key), side(token),
                          side(log_p), side(entropy), side(margin)},
                         on);
  };
  compare<T, Wide>(shape(temperature > 0 ? "draw" : "greedy proposal", R, V), 200, run, token,
                   log_p, entropy, margin);
}

template <class T>
void log_prob(int64_t R, int64_t V) {
  Twin<T> z(numbers<T>(R * V, "z", 6)), d(z.host);
  std::vector<int64_t> targets(R);
  for (int64_t r = 0; r < R; ++r) targets[r] = r * 31 % V;
  Twin<int64_t> target(targets);
  Twin<float> log_z(R), log_p(R), g(numbers<float>(R, "g"));
  auto forward = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.log_probs({side(z), R, V, side(target), side(log_z), side(log_p)}, on);
  };
  auto backward = [&](const CudaTable<T>& table, auto side, CudaStream on) {
    return table.log_probs_gradient({side(d), R, V, side(log_z), side(target), side(g)}, on);
  };
  compare<T, Wide>(shape("log-probability", R, V), 100, forward, log_z, log_p);
  log_z.gpu.put(log_z.host);
  compare<T>(shape("log-probability's gradient", R, V), sizeof(T) == 2 ? 3 : 100, backward, d);
}

template <class T>
void every_kernel() {
  for (auto [n, D] : {std::pair<int64_t, int64_t>{3, 1}, {5, 7}, {300, 64}, {7, 1003}, {456, 4096}})
    norm<T>(n, D);
  for (bool round : {false, true}) {
    rotation<T>(5, 3, 6, round);
    rotation<T>(9, 2, 20, round);
    rotation<T>(456, 32, 128, round);
  }
  for (int64_t n : {1, 13, 2051, 100 * 12288}) swiglu<T>(n);
  for (auto [R, V] :
       {std::pair<int64_t, int64_t>{4, 1}, {7, 5}, {300, 97}, {64, 1003}, {24, 126464}}) {
    for (double temperature : {0.0, 0.05, 1.0}) {
      proposal<T>(R, V, temperature, kNoneBanned, -1);
      proposal<T>(R, V, temperature, {0, -1, 3, -1}, (V + 1) / 2);
    }
    log_prob<T>(R, V);
  }
}

int run() {
  if (!has_gpu() || !cuda_table<float>()) {
    std::printf("there is no GPU here, or no kernels for one: nothing was tested\n");
    return 77;
  }
  std::printf("%-44s %-9s %10s %8s\n", "against the same rows on the host", "type", "roundings",
              "allowed");
  every_kernel<float>();
  every_kernel<Bfloat16>();
  std::printf("%d failed\n", failures);
  return failures > 0;
}

}  // namespace
}  // namespace gdsd::cuda

int main() { return gdsd::cuda::run(); }
