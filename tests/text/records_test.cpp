#include "gdsd/data/records.h"

#include <gtest/gtest.h>

#include "tests/error_of.h"

namespace gdsd {
namespace {

using nlohmann::json;

std::vector<json> values(std::string_view text, const char* file = "a/b.jsonl") {
  std::vector<json> all;
  for (const Record& r : parse_records(text, file)) all.push_back(r.value);
  return all;
}

std::string error(std::string_view text, const char* file = "a/b.jsonl") {
  return error_of([&] { parse_records(text, file); });
}

TEST(Records, JsonLinesKnowTheirLine) {
  const auto records =
      parse_records("\xEF\xBB\xBF{\"a\": 1}\r\n\n  \n{\"a\": \"\\u00e9\"}", "b.json");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].value, json({{"a", 1}}));
  EXPECT_EQ(records[1].value, json({{"a", "é"}}));
  EXPECT_EQ(records[0].line, 1);
  EXPECT_EQ(records[1].line, 4);
  EXPECT_TRUE(values("").empty());
  EXPECT_TRUE(values("\xEF\xBB\xBF").empty());
}

TEST(Records, ErrorsNameFileAndLine) {
  EXPECT_EQ(error("{}\n{\"a\": }\n"), "a/b.jsonl:2: not a JSON object.");
  EXPECT_EQ(error("{}\n\n3\n"), "a/b.jsonl:3: not a JSON object.");
  EXPECT_EQ(error("{}\n{\"a\": \"\xff\"}"), "a/b.jsonl:2: not UTF-8.");
  const std::string deep = std::string(100000, '[');
  EXPECT_EQ(error("{}\n{\"a\": " + deep), "a/b.jsonl:2: nested deeper than 64 levels.");
}

TEST(Records, AnArrayIsReadElementByElement) {
  const auto records =
      parse_records(" [\n {\"a\": \"],[{\\\"\"},\n\n {\"b\": [1, {\"c\": []}]} ] \n", "b.json");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].value, json({{"a", "],[{\""}}));
  EXPECT_EQ(records[0].line, 2);
  EXPECT_EQ(records[1].value, json::parse(R"({"b": [1, {"c": []}]})"));
  EXPECT_EQ(records[1].line, 4);
  EXPECT_TRUE(values("[ ]").empty());
}

TEST(Records, AMalformedArrayIsAnError) {
  EXPECT_EQ(error("[\n{},\n{\"a\"},\n{}]"), "a/b.jsonl:3: not a JSON object.");
  EXPECT_EQ(error("[{},\n]"), "a/b.jsonl:2: not a JSON object.");
  EXPECT_EQ(error("[\n{}"), "a/b.jsonl:2: the array does not end.");
  EXPECT_EQ(error("["), "a/b.jsonl:1: the array does not end.");
  EXPECT_EQ(error("[{\"a\": \"]}"), "a/b.jsonl:1: the array does not end.");
  EXPECT_EQ(error("[{}]\n\n]"), "a/b.jsonl:3: text after the array.");
  EXPECT_EQ(error("[{}]{}"), "a/b.jsonl:1: text after the array.");
  EXPECT_EQ(error("[1]"), "a/b.jsonl:1: not a JSON object.");
}

TEST(Records, CsvIsRfc4180) {
  const auto records = parse_records(
      "\xEF\xBB\xBFPuzzle,\"So,lution\"\r\n0012,34\r\n\r\n\"a\nb\",\"say \"\"hi\"\"\"\n,\"\"\nx,y",
      "b.CSV");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].value, json({{"Puzzle", "0012"}, {"So,lution", "34"}}));
  EXPECT_EQ(records[1].value, json({{"Puzzle", "a\nb"}, {"So,lution", "say \"hi\""}}));
  EXPECT_EQ(records[2].value, json({{"Puzzle", ""}, {"So,lution", ""}}));
  EXPECT_EQ(records[3].value, json({{"Puzzle", "x"}, {"So,lution", "y"}}));
  EXPECT_EQ(records[0].line, 2);
  EXPECT_EQ(records[1].line, 4);
  EXPECT_EQ(records[2].line, 6) << "a line break within quotes counts";
}

TEST(Records, AMalformedCsvIsAnError) {
  const auto csv = [](std::string_view text) { return error(text, "s.csv"); };
  EXPECT_EQ(csv(""), "s.csv:1: no header, expected names of columns.");
  EXPECT_EQ(csv("a,b\n1,2\n3\n"), "s.csv:3: 1 fields, expected 2 as in the header.");
  EXPECT_EQ(csv("a,b\n1,2,3\n"), "s.csv:2: 3 fields, expected 2 as in the header.");
  EXPECT_EQ(csv("a,b\n1,\"2\n\n"), "s.csv:2: a quote that does not end.");
  EXPECT_EQ(csv("a,b\n1,\"2\"3\n"), "s.csv:2: text after a closing quote.");
  EXPECT_EQ(csv("a,b\n1,2\"3\"\n"),
            "s.csv:2: a quote within a field that does not begin with one.");
  EXPECT_NE(csv("a,a\n1,2\n").find("s.csv:1: column 2 is called 'a'"), std::string::npos);
  EXPECT_NE(csv("a,\n1,2\n").find("s.csv:1: column 2 is called ''"), std::string::npos);
}

TEST(Records, ASourceIsTheEndOfAPath) {
  EXPECT_EQ(source_of("/x/y/gsm8k/test.jsonl", 17), "gsm8k/test.jsonl:17");
  EXPECT_EQ(source_of("test.jsonl", 1), "test.jsonl:1");
}

TEST(Records, AFileThatIsNotThereIsAnError) {
  EXPECT_NE(error_of([] { read_records("no/such.jsonl"); }).find("no/such.jsonl"),
            std::string::npos);
}

}  // namespace
}  // namespace gdsd
