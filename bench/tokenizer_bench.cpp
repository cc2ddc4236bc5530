// How fast a tokenizer encodes and decodes, on one core:
//
//   cmake --build --preset release --target tokenizer_bench
//   build/release/tokenizer_bench FOLDER FILE…
//
// FOLDER has the tokenizer. The files are one text, encoded as a whole and line by line.
#include <chrono>
#include <functional>
#include <iostream>

#include "gdsd/base/file.h"
#include "gdsd/text/tokenizer.h"

namespace {

/// The best of five.
double seconds(const std::function<void()>& work) {
  double best = 1e30;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void report(const char* what, size_t bytes, double time) {
  std::cout << what << ": " << static_cast<double>(bytes) / 1e6 / time << " MB/s\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: tokenizer_bench FOLDER FILE…\n";
    return 2;
  }
  try {
    std::string text;
    for (int i = 2; i < argc; ++i) text += gdsd::read_file(argv[i]);
    std::unique_ptr<gdsd::Tokenizer> tokenizer;
    std::cout << "load: " << seconds([&] { tokenizer = gdsd::load_tokenizer(argv[1]); }) << " s\n";
    std::vector<int64_t> ids;
    report("encode, whole", text.size(), seconds([&] { ids = tokenizer->encode(text); }));
    report("encode, by line", text.size(), seconds([&] {
             for (size_t at = 0, end = 0; at < text.size(); at = end) {
               end = std::min(text.find('\n', at), text.size() - 1) + 1;
               tokenizer->encode(std::string_view(text).substr(at, end - at));
             }
           }));
    report("decode", text.size(), seconds([&] { tokenizer->decode(ids); }));
    std::cout << text.size() << " bytes, " << ids.size() << " tokens\n";
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}
