// Microseconds of every kernel at LLaDA-8B's shapes in bfloat16, medians by CUDA events, and the rate at
// which it moves memory beside that of a copy within the GPU. What fits in the GPU's cache can be
// faster than the copy, which does not. Exit code 77: there is no GPU.
//
//   cuda_bench [TOKENS [ROWS]]      tokens of a batch, rows that are proposed or scored
#include <algorithm>
#include <functional>

#include "tests/cuda/gpu.h"
#include "tests/cuda/numbers.h"

namespace gdsd::cuda {
namespace {

using T = Bfloat16;

constexpr int64_t kD = 4096, kF = 12288, kHeads = 32, kH = 128, kV = 126464;
constexpr int kRounds = 31;

/// Median of the microseconds that `start` takes on the stream.
double microseconds(cudaStream_t stream, const std::function<void()>& start) {
  cudaEvent_t begin = nullptr, end = nullptr;
  must(cudaEventCreate(&begin), "event");
  must(cudaEventCreate(&end), "event");
  std::vector<float> all;
  start();
  for (int i = 0; i < kRounds; ++i) {
    must(cudaEventRecord(begin, stream), "event");
    start();
    must(cudaEventRecord(end, stream), "event");
    must(cudaEventSynchronize(end), "kernel");
    all.push_back(0);
    must(cudaEventElapsedTime(&all.back(), begin, end), "event");
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::nth_element(all.begin(), all.begin() + kRounds / 2, all.end());
  return 1e3 * all[kRounds / 2];
}

/// n rows of the same width in (−scale, scale), equal ones.
void fill(const OnGpu<T>& to, int64_t rows, int64_t width, double scale) {
  const OnGpu<T> row(numbers<T>(width, "row", scale));
  for (int64_t r = 0; r < rows; ++r)
    must(cudaMemcpy(to.data() + r * width, row.data(), width * sizeof(T), cudaMemcpyDeviceToDevice),
         "copy");
}

class Bench {
 public:
  Bench() {
    must(cudaStreamCreate(&stream_), "stream");
    constexpr int64_t kBytes = int64_t{1} << 30;
    const OnGpu<char> from(kBytes), to(kBytes);
    const double time = microseconds(stream_, [&] {
      must(cudaMemcpyAsync(to.data(), from.data(), kBytes, cudaMemcpyDeviceToDevice, stream_),
           "copy");
    });
    copy_ = 2 * kBytes / time;
    std::printf("a copy within the GPU moves %.0f GB/s\n\n%-34s %10s %10s %10s %10s\n", copy_ / 1e3,
                "kernel", "us", "MB", "GB/s", "% of copy");
  }
  ~Bench() { cudaStreamDestroy(stream_); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// One line, of a kernel that reads and writes `bytes` at least.
  template <class F>
  void line(const char* what, int64_t bytes, F&& start) {
    const double time = microseconds(stream_, [&] { must(start(stream_), what); });
    const double rate = static_cast<double>(bytes) / time;  // bytes a microsecond
    std::printf("%-34s %10.1f %10.1f %10.0f %10.0f\n", what, time, static_cast<double>(bytes) / 1e6,
                rate / 1e3, 100 * rate / copy_);
  }

 private:
  cudaStream_t stream_ = nullptr;
  double copy_ = 0;
};

void rowwise(Bench& bench, const CudaTable<T>& table, int64_t n) {
  constexpr int64_t kBytes = sizeof(T);
  const OnGpu<T> x(n * kD), d_y(n * kD), d_sum(n * kD), w(kD), y(n * kD);
  for (const auto* to : {&x, &d_y, &d_sum}) fill(*to, n, kD, 1);
  fill(w, 1, kD, 1);
  const OnGpu<float> inverse(n), d_w(kD), scratch(norm_scratch(n, kD));
  const Norm<T> norm{x.data(), w.data(), n, kD, 1e-5f, y.data(), inverse.data()};
  bench.line("norm", 2 * n * kD * kBytes, [&](auto on) { return table.norm(norm, on); });
  NormGradient<T> d{x.data(), w.data(), inverse.data(), d_y.data(), d_sum.data(), n, kD, y.data()};
  bench.line("norm's gradient", 4 * n * kD * kBytes,
             [&](auto on) { return table.norm_gradient(d, on); });
  d.d_w = d_w.data();
  d.scratch = scratch.data();
  bench.line("norm's gradient, and its weight's", 6 * n * kD * kBytes,
             [&](auto on) { return table.norm_gradient(d, on); });

  const OnGpu<float> angles(numbers<float>(n * kH, "angles"));
  std::vector<int64_t> places(n);
  for (int64_t i = 0; i < n; ++i) places[i] = i;
  const OnGpu<int64_t> position(places);
  const Rotation<T> turn{x.data(), angles.data(), angles.data(), position.data(), n, kHeads, kH};
  bench.line("rotation", 2 * n * kD * kBytes, [&](auto on) { return table.rotate(turn, on); });

  const OnGpu<T> gate(n * kF), up(n * kF), d_act(n * kF), d_gate(n * kF), d_up(n * kF);
  for (const auto* to : {&gate, &up, &d_act}) fill(*to, n, kF, 1);
  bench.line("SwiGLU", 3 * n * kF * kBytes, [&](auto on) {
    return table.swiglu({gate.data(), up.data(), n * kF, d_gate.data()}, on);
  });
  bench.line("SwiGLU's gradient", 5 * n * kF * kBytes, [&](auto on) {
    return table.swiglu_gradient(
        {gate.data(), up.data(), d_act.data(), n * kF, d_gate.data(), d_up.data()}, on);
  });
}

void head(Bench& bench, const CudaTable<T>& table, int64_t R) {
  const OnGpu<T> z(R * kV);
  fill(z, R, kV, 8);
  std::vector<int64_t> bits(R);
  for (int64_t r = 0; r < R; ++r) bits[r] = static_cast<int64_t>(Key{5}.fork("row", r).bits);
  const OnGpu<int64_t> key(bits), token(R), target(std::vector<int64_t>(R, 17));
  const OnGpu<float> log_p(R), entropy(R), margin(R), log_z(R), g(std::vector<float>(R, 1e-3f));
  const int64_t bytes = R * kV * static_cast<int64_t>(sizeof(T));
  Proposed<T> how{z.data(),
                  R,
                  kV,
                  -1,
                  {126336, -1, -1, -1},
                  0,
                  key.data(),
                  token.data(),
                  log_p.data(),
                  entropy.data(),
                  margin.data()};
  bench.line("greedy proposal", bytes, [&](auto on) { return table.propose(how, on); });
  how.temperature = 1;
  bench.line("draw", bytes, [&](auto on) { return table.propose(how, on); });
  bench.line("log-probability", bytes, [&](auto on) {
    return table.log_probs({z.data(), R, kV, target.data(), log_z.data(), log_p.data()}, on);
  });
  bench.line("log-probability's gradient", 2 * bytes, [&](auto on) {
    return table.log_probs_gradient({z.data(), R, kV, log_z.data(), target.data(), g.data()}, on);
  });
}

int run(int count, char** arguments) {
  const int64_t tokens = count > 1 ? std::atoll(arguments[1]) : 2736;
  const int64_t rows = count > 2 ? std::atoll(arguments[2]) : 1536;
  if (tokens < 1 || rows < 1) {
    std::fprintf(stderr, "usage: cuda_bench [TOKENS [ROWS]], both at least 1\n");
    return 2;
  }
  const CudaTable<T>* table = cuda_table<T>();
  if (!has_gpu() || !table) {
    std::printf("there is no GPU here, or no kernels for one: nothing was measured\n");
    return 77;
  }
  cudaDeviceProp gpu{};
  must(cudaGetDeviceProperties(&gpu, 0), "GPU");
  std::printf("%s, %lld tokens, %lld rows of logits\n", gpu.name, static_cast<long long>(tokens),
              static_cast<long long>(rows));
  Bench bench;
  rowwise(bench, *table, tokens);
  head(bench, *table, rows);
  return 0;
}

}  // namespace
}  // namespace gdsd::cuda

int main(int count, char** arguments) { return gdsd::cuda::run(count, arguments); }
