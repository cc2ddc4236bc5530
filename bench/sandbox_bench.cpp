// Programs a second: sandbox_bench [PROGRAMS [THREADS]]. Short programs with three tests each, in the
// judge and player that rewards use.
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include "gdsd/reward/sandbox.h"

int main(int argc, char** argv) {
  using namespace gdsd;
  const int programs = argc > 1 ? std::atoi(argv[1]) : 500;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 4;
  const std::string program =
      "from typing import List\n\ndef biggest(numbers: List[int]) -> int:\n"
      "    return sorted(numbers)[-1]\n";
  const std::vector<std::string> tests = {"assert biggest([1, 3, 2]) == 3",
                                          "assert biggest([5]) == 5",
                                          "assert biggest([-1, -4]) == -1"};
  try {
    Sandbox sandbox;
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<int> next = 0, passed = 0;
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
      workers.emplace_back([&] {
        while (next++ < programs)
          if (sandbox.run(program, tests).kind == Outcome::Kind::kPassed) ++passed;
      });
    for (std::thread& worker : workers) worker.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << passed << " of " << programs << " passed, " << programs / took.count()
              << " programs/s\n";
    return passed == programs ? 0 : 1;
  } catch (const Error& e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}
