// Tests made from fixtures in files: one for every case that the folder lists, so that other
// fixtures of the same schema run too. GDSD_GOLDEN names another folder than tests/golden.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "gdsd/base/file.h"

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

/// Calls `add` for a file or folder of fixtures; what it throws becomes a failing test.
inline void add_all(const path& from, const std::function<void(const path&)>& add) {
  try {
    add(from);
  } catch (const std::exception& e) {
    add_test("Fixtures", from.filename().string(),
             [from, what = std::string(e.what())] { FAIL() << from << ": " << what; });
  }
}

}  // namespace gdsd::golden
