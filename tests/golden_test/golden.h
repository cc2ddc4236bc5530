// Fixtures in files, and tests made from them: one for every case that the folder lists, so that
// other fixtures of the same schema run too. GDSD_GOLDEN names another folder than tests/golden.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "gdsd/base/file.h"
#include "gdsd/tensor/safetensors.h"

namespace gdsd::golden {

using nlohmann::json;
using std::filesystem::path;

inline json read_json(const path& file) { return json::parse(read_file(file)); }

/// Adds the test `suite`.`name`. An exception from `body` is a failure.
inline void add_test(const std::string& suite, std::string name,
                     const std::function<void()>& body) {
  struct Case : testing::Test {
    explicit Case(std::function<void()> f) : run(std::move(f)) {}
    void TestBody() override { run(); }
    std::function<void()> run;
  };
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '/') c = '_';  // names are filters too
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [body]() -> testing::Test* { return new Case(body); });
}

/// A fixture that is there while what it pins is not: listed after the tests.
void add_skip(const std::string& suite, const std::string& name, const std::string& what);

/// Calls `add` for a file or folder of fixtures; what it throws becomes a failing test.
inline void add_all(const path& from, const std::function<void(const path&)>& add) {
  try {
    add(from);
  } catch (const std::exception& e) {
    add_test("Fixtures", from.filename().string(),
             [from, what = std::string(e.what())] { FAIL() << from << ": " << what; });
  }
}

/// |got − expected| ≤ relative · max |expected| + absolute, everywhere, and the same shape.
inline void expect_close(const Tensor& got, const Tensor& expected, double relative,
                         double absolute, const std::string& name) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << name;
  if (expected.numel() == 0) return;
  const Tensor wide = expected.detach().to(at::kDouble);
  const double bound = relative * wide.abs().max().item<double>() + absolute;
  const double error = (got.detach().to(at::kDouble) - wide).abs().max().item<double>();
  EXPECT_LE(error, bound) << name;
}
inline void expect_close(double got, double expected, double relative, double absolute,
                         const std::string& name) {
  EXPECT_NEAR(got, expected, relative * std::abs(expected) + absolute) << name;
}

// Each adds the tests of one folder.
void add_objectives(const path& folder);
void add_models(const path& folder);
void add_samplers(const path& folder);
void add_lora(const path& folder);
void add_tokenizers(const path& folder);

// Each adds the tests of one case of objectives/cases.json.
void add_pair_loss(const json& fixture, const path& folder);
void add_single_loss(const json& fixture, const path& folder);
void add_advantage(const json& fixture, const path& folder);
void add_counts(const json& fixture, const path& folder);
void add_trace_rows(const json& fixture, const path& folder);

}  // namespace gdsd::golden
