#include "gdsd/base/fields.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>

#include "gdsd/base/random.h"
#include "gdsd/base/yaml.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

enum class Colour { kRed, kDeepBlue };
constexpr auto enum_names(Colour) { return std::array{"red", "deep_blue"}; }

struct Circle {
  static constexpr std::string_view kName = "circle";
  double radius = 1.5;
  static Circle released() { return {.radius = 9}; }
  template <class F>
  void fields(F&& f) {
    f("radius", radius, "in metres");
  }
};
struct Square {
  static constexpr std::string_view kName = "square";
  int64_t side = 2;
  template <class F>
  void fields(F&& f) {
    f("side", side, "in metres");
  }
  void validate() const { check_field(side > 0, "side", "must be positive, got ", side, "."); }
};
struct Drawing {
  std::string title = "none";
  bool filled = false;
  uint64_t seed = 42;
  Colour colour = Colour::kRed;
  std::variant<Circle, Square> shape;
  template <class F>
  void fields(F&& f) {
    f("title", title, "shown above");
    f("filled", filled, "whether it is");
    f("seed", seed, "of the noise");
    f("colour", colour, "of the line");
    f("shape", shape, "what is drawn");
  }
};
struct Page {
  Drawing drawing;
  template <class F>
  void fields(F&& f) {
    f("drawing", drawing, "");
  }
};

std::string file_with(const std::string& text) {
  const std::string path = concat(testing::TempDir(), "fields_test_", getpid(), ".yaml");
  std::ofstream(path) << text;
  return path;
}

TEST(Fields, DumpReadsBack) {
  Page page;
  page.drawing = {"a: 'b' # c", true, 1ull << 63, Colour::kDeepBlue, Square{7}};
  const auto fields = list_fields(page);
  EXPECT_EQ(fields.at(4).path, "drawing.shape.name");
  EXPECT_EQ(fields.at(5).text, "7");
  const Page again = load_options<Page>(file_with(to_yaml(fields)));
  EXPECT_EQ(to_yaml(list_fields(again)), to_yaml(fields));
  EXPECT_EQ(again.drawing.title, "a: 'b' # c");
  EXPECT_EQ(std::get<Square>(again.drawing.shape).side, 7);
}

TEST(Fields, TheNameOfASectionIsReadFirstWhereverItStands) {
  const Page page =
      load_options<Page>(file_with("drawing:\n  shape:\n    side: 5\n    name: square\n"));
  EXPECT_EQ(std::get<Square>(page.drawing.shape).side, 5);
}

TEST(Fields, OverridesWinAndPresetsAreNames) {
  const std::vector<std::string> overrides{"drawing.title=x=y", "drawing.shape=circle_released"};
  const Page page =
      load_options<Page>(file_with("drawing: {title: t, shape: {name: square}}"), overrides);
  EXPECT_EQ(page.drawing.title, "x=y");
  EXPECT_EQ(std::get<Circle>(page.drawing.shape).radius, 9);
}

TEST(Fields, ANameGivenAgainKeepsTheFilesValuesAndAnotherTakesItsOwn) {
  auto radius = [](const std::string& shape, std::vector<std::string> overrides) {
    const Page page = load_options<Page>(file_with("drawing: {shape: " + shape + "}"), overrides);
    return std::get<Circle>(page.drawing.shape).radius;
  };
  const std::string circle = "{name: circle, radius: 5}";
  EXPECT_EQ(radius(circle, {"drawing.shape.name=circle"}), 5);
  EXPECT_EQ(radius(circle, {"drawing.shape=circle"}), 5);
  EXPECT_EQ(radius(circle, {"drawing.shape.name=circle_released"}), 9);
  EXPECT_EQ(radius("circle_released", {"drawing.shape.name=circle_released"}), 9);
  EXPECT_EQ(radius("{name: circle_released, radius: 5}", {"drawing.shape.name=circle"}),
            Circle{}.radius);
  EXPECT_EQ(radius(circle, {"drawing.shape.name=square", "drawing.shape.name=circle"}),
            Circle{}.radius);
}

TEST(Fields, ErrorsSayWhereWhatAndWhatWasMeant) {
  auto load = [](const std::string& yaml, std::vector<std::string> overrides = {}) {
    const std::string file = file_with(yaml);
    const std::string e = error_of([&] { load_options<Page>(file, overrides); });
    return e.substr(e.starts_with(file) ? file.size() : 0);
  };
  EXPECT_EQ(load("drawing:\n  titel: x\n"),
            ":2:10: drawing.titel: unknown option. Did you mean 'drawing.title'?");
  EXPECT_EQ(load("filled: true"), ":1:9: filled: unknown option. Did you mean 'drawing.filled'?");
  EXPECT_EQ(load("drawing:\n  seed: -3\n"),
            ":2:9: drawing.seed: got '-3', expected integer, not negative.");
  EXPECT_EQ(load("drawing: {colour: green}"),
            ":1:19: drawing.colour: got 'green', expected red | deep_blue.");
  EXPECT_EQ(load("drawing: {shape: {name: square, side: 0}}"),
            ":1:39: drawing.shape.side: must be positive, got 0.");
  EXPECT_EQ(load("drawing: {}", {"drawing.filled=maybe"}),
            "command line: drawing.filled: got 'maybe', expected true | false.");
  EXPECT_EQ(load("drawing: {seed: 1, seed: 2}"), ":1:20: drawing.seed is given twice.");
  EXPECT_EQ(load("drawing: [1]"), ":1:1: drawing: expected a value or a section, got a list.");
  EXPECT_EQ(load("drawing: 3"), ":1:10: drawing: is a section of options, not a value.");
  EXPECT_NE(load("a: [").find("not YAML"), std::string::npos);
}

std::string load_error(const std::string& yaml, std::vector<std::string> overrides = {}) {
  const std::string file = file_with(yaml);
  const std::string e = error_of([&] { load_options<Page>(file, overrides); });
  return e.substr(e.starts_with(file) ? file.size() : 0);
}

TEST(Fields, YamlThatIsMoreThanATreeIsRefused) {
  EXPECT_EQ(load_error("drawing: &a\n  shape: *a\n"),
            ":2:3: drawing.shape: aliases (*) are not known here; write the value out.");
  EXPECT_EQ(load_error("drawing: {title: &t x, colour: *t}"),
            ":1:24: drawing.colour: aliases (*) are not known here; write the value out.");
  EXPECT_EQ(load_error("drawing:\n  <<: {title: x}\n"),
            ":2:3: merge keys (<<) are not known here; write the options out.");
  EXPECT_EQ(load_error("drawing: {title: x}\n---\ndrawing: {title: y}\n"),
            ": expected one YAML document, got 2.");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{a: ";
  EXPECT_NE(load_error(deep).find("not YAML"), std::string::npos);
}

TEST(Fields, WhatIsNoFileIsSaidWithItsPath) {
  const auto error = [](const std::string& path) {
    return error_of([&] { load_options<Page>(path); });
  };
  EXPECT_EQ(error("/nonexistent.yaml"), "/nonexistent.yaml: no such config file.");
  EXPECT_EQ(error("/"), "/: is a folder, expected a YAML file.");
  EXPECT_EQ(error(""), "[config] the path of the config file is empty.");
  EXPECT_EQ(load_error(""), ": this config file is empty.");
  EXPECT_EQ(load_error("# nothing\n"), ": this config file is empty.");
  EXPECT_NE(error("/" + std::string(300, 'x')).find("too long"), std::string::npos);
}

TEST(Fields, NumbersOutOfRangeAreTooLarge) {
  const std::string large = "; this one is too large.";
  EXPECT_EQ(load_error("drawing: {shape: {name: square, side: 9999999999999999999}}"),
            ":1:39: drawing.shape.side: got '9999999999999999999', expected integer" + large);
  EXPECT_EQ(
      load_error("drawing: {seed: 99999999999999999999}"),
      ":1:17: drawing.seed: got '99999999999999999999', expected integer, not negative" + large);
  EXPECT_EQ(load_error("drawing: {shape: {radius: 1e999}}"),
            ":1:27: drawing.shape.radius: got '1e999', expected number" + large);
  EXPECT_EQ(load_error("drawing: {shape: {radius: 1e-999}}"),
            ":1:27: drawing.shape.radius: got '1e-999', expected number; this one is too small.");
  EXPECT_EQ(load_error("drawing: {shape: {radius: .inf}}"),
            ":1:27: drawing.shape.radius: got '.inf', expected number.");
}

TEST(Fields, TheOrderOfAChoiceAndItsOptionsDoesNotMatter) {
  const std::string file = file_with("drawing: {shape: {name: circle, radius: 3}}");
  const std::vector<std::string> overrides{"drawing.shape.side=5", "drawing.shape.name=square"};
  EXPECT_EQ(std::get<Square>(load_options<Page>(file, overrides).drawing.shape).side, 5);
  const std::vector<std::string> preset{"drawing.shape.radius=7", "drawing.shape=circle_released"};
  EXPECT_EQ(std::get<Circle>(load_options<Page>(file, preset).drawing.shape).radius, 7);
  EXPECT_EQ(
      load_error("drawing: {title: x}", {"drawing.shape.radius=2", "drawing.shape.name=square"}),
      "command line: drawing.shape.radius: unknown option. It belongs to 'circle', which is "
      "not chosen.");
}

TEST(Fields, AnErrorIsPlacedWhereTheWrongValueStands) {
  EXPECT_EQ(load_error("drawing: {seed: x}", {"drawing.seed=1"}),
            ":1:17: drawing.seed: got 'x', expected integer, not negative.");
}

TEST(Fields, SwappedLettersAndBeginningsAreNear) {
  const std::vector<Field> known{{"a.psi", "", "", ""},
                                 {"b.epsilon", "", "", ""},
                                 {"a.epsilon_low", "", "", ""},
                                 {"a.epsilon_high", "", "", ""}};
  EXPECT_EQ(suggestion("a.pis", known), "Did you mean 'a.psi'?");
  EXPECT_EQ(suggestion("a.epsilon", known), "Did you mean 'a.epsilon_low'?");
  EXPECT_EQ(suggestion("c.epsilon", known), "Did you mean 'b.epsilon'?");
  EXPECT_EQ(suggestion("a.xyz", known), "");
}

TEST(Random, PhiloxProducesRandom123Values) {  // kat_vectors of Random123, all-zero input
  EXPECT_EQ(philox(Key{0}, 0),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

TEST(Random, PermutationIsUniform) {
  std::map<std::vector<int64_t>, int> seen;
  for (uint64_t i = 0; i < 6000; ++i) ++seen[permutation(Key{1}.fork("test", i), 3)];
  EXPECT_EQ(seen.size(), 6u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 150);  // 5 standard deviations
}

}  // namespace
}  // namespace gdsd
