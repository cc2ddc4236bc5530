#include "gdsd/data/numpy_order.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

TEST(NumpyOrder, IsThatOfTheReleasedEvaluations) {  // numpy.random.seed(42), choice(n, 256, False)
  EXPECT_EQ(numpy_choice(42, 256, 16), (std::vector<int64_t>{228, 6, 79, 206, 117, 185, 242, 167, 9,
                                                             30, 180, 222, 230, 217, 136, 68}));
  EXPECT_EQ(numpy_choice(42, 500, 16), (std::vector<int64_t>{361, 73, 374, 155, 104, 394, 377, 124,
                                                             68, 450, 9, 194, 406, 84, 371, 388}));
}

TEST(NumpyOrder, IsThatOfTheWholeLists) {
  const std::string file = GDSD_DATA_FOLDER "/data/eval_subsample_seed42.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  const auto value = parse_json(read_file(file));
  for (const char* n : {"256", "500"}) {
    const auto all = value.at("indices").at(n).get<std::vector<int64_t>>();
    EXPECT_EQ(all.size(), 256u);
    EXPECT_EQ(numpy_choice(42, std::stoll(n), 256), all);
  }
}

TEST(NumpyOrder, IsAPermutation) {
  for (int64_t n : {0, 1, 2, 3, 64, 65, 1000}) {
    auto order = numpy_choice(7, n, n);
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(order[i], i);
    EXPECT_EQ(std::ssize(order), n);
  }
  EXPECT_NE(error_of([] { numpy_choice(42, 255, 256); }), "no error");
}

}  // namespace
}  // namespace gdsd
