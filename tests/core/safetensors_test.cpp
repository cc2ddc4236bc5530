#include "gdsd/tensor/safetensors.h"

#include <gtest/gtest.h>

#include <fstream>

#include "gdsd/base/file.h"
#include "tests/core/table_denoiser.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("safetensors_test_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  return folder;
}

void expect_equal(const TensorMap& got, const TensorMap& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_EQ(got.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(got.at(name).sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(got.at(name).equal(tensor)) << name;
  }
}

TEST(Safetensors, RoundTripEveryTypeAndShape) {
  TensorMap tensors{{"empty", at::empty({0})},
                    {"empty in the middle", at::empty({2, 0, 3}, at::kLong)},
                    {"scalar", at::scalar_tensor(1.25)},
                    {"of a \"name\" \\ with ümläuts\n", at::arange(3)},
                    {"not contiguous", at::arange(6).view({2, 3}).t()}};
  const Tensor numbers = 200 * random_tensor({3, 5}, "numbers") - 100;
  for (auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                    at::kShort, at::kChar, at::kBool})
    tensors[c10::toString(type)] = numbers.to(type);
  tensors["Byte"] = numbers.abs().to(at::kByte);
  const auto file = fresh_folder("types") / "model.safetensors";
  write_safetensors(file, tensors);
  std::map<std::string, std::string> metadata;
  expect_equal(read_safetensors(file, &metadata), tensors);
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST(Safetensors, OutliveTheirFile) {
  const auto file = fresh_folder("unlinked") / "model.safetensors";
  write_safetensors(file, {{"a", at::arange(1000)}});
  const Tensor a = read_safetensors(file).at("a");
  std::filesystem::remove(file);
  EXPECT_TRUE(a.equal(at::arange(1000)));
}

TEST(Safetensors, AreNeverWrittenOverAFile) {
  const auto file = fresh_folder("exists") / "model.safetensors";
  write_safetensors(file, {{"a", at::ones({2})}});
  EXPECT_EQ(error_of([&] {
              write_safetensors(file, {{"b", at::ones({3})}});
            }),
            "[safetensors] " + file.string() + ": exists already.");
  expect_equal(read_safetensors(file), {{"a", at::ones({2})}});
}

TEST(Safetensors, OfATypeTheFormatLacksAreRefusedAndLeaveNoFile) {
  const auto file = fresh_folder("complex") / "model.safetensors";
  EXPECT_THROW(write_safetensors(file, {{"a", at::ones({2}, at::kComplexFloat)}}), Error);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Safetensors, CutAnywhereAreRefused) {
  const auto folder = fresh_folder("cut");
  write_safetensors(folder / "whole", {{"a", at::ones({2})}, {"b", at::ones({1}, at::kLong)}});
  const std::string bytes = read_file(folder / "whole");
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::ofstream(folder / "part") << bytes.substr(0, n);
    const std::string e = error_of([&] { read_safetensors(folder / "part"); });
    EXPECT_TRUE(e.starts_with("[safetensors] " + (folder / "part").string() + ": ")) << n << e;
  }
  EXPECT_NE(error_of([&] { read_safetensors(folder / "none"); }).find("cannot read"),
            std::string::npos);
}

TEST(Safetensors, ErrorsNameTheByteOfTheHeader) {
  auto error = [](const std::string& header) {
    return error_of([&] { parse_safetensors_header(header, 0, "here"); });
  };
  EXPECT_EQ(error(R"({"a": {"dtype": "F3", "shape": [], "data_offsets": [0, 0]}})"),
            "here: tensor 'a' (described at byte 9): unknown dtype \"F3\".");
  // A size of 0 does not hide what the others make of the strides.
  EXPECT_NE(error(R"({"a": {"dtype": "F32", "shape": [0, 1099511627776, 1099511627776],
                     "data_offsets": [0, 0]}})")
                .find("overflows"),
            std::string::npos);
}

TEST(Safetensors, OfAFolderComeFromTheShardsOfItsIndex) {
  const auto folder = fresh_folder("shards");
  write_safetensors(folder / "one", {{"a", at::ones({2})}, {"unlisted", at::ones({1})}});
  write_safetensors(folder / "two", {{"b", at::zeros({3})}});
  const auto index = folder / "model.safetensors.index.json";
  write_file(index, R"({"weight_map": {"a": "one", "b": "two"}})");
  // What the index leaves out is there too, for the model to refuse.
  expect_equal(read_safetensors_folder(folder),
               {{"a", at::ones({2})}, {"b", at::zeros({3})}, {"unlisted", at::ones({1})}});
  auto error = [&](const std::string& json) {
    write_file(index, json);
    const std::string e = error_of([&] { read_safetensors_folder(folder); });
    return e.substr(e.find(index.string()) + index.string().size());
  };
  EXPECT_EQ(error(R"({"weight_map": {"a": "two"}})"), ": 'a' is not in two.");
  EXPECT_EQ(error(R"({"weight_map": {"a": "../one"}})"),
            ": '../one' is not a file of this folder.");
  EXPECT_EQ(error("[]"), ": not a JSON object.");
  EXPECT_EQ(error("{}"), ": expected an object with a weight_map.");
  EXPECT_EQ(error(R"({"weight_map": {"a": "three"}})"),
            ": 'a' is in three, and that file is missing.");
}

}  // namespace
}  // namespace gdsd
