#include "saccade/ops/type.h"

#include <gtest/gtest.h>

namespace saccade::ops {
namespace {

TEST(OpsType, PrintsSizesThatDependOnTheBatch) {
  EXPECT_EQ(to_string(Type{DType::F32, {{1, true}, {197}, {64}}}), "F32[N, 197, 64]");
  EXPECT_EQ(to_string(Type{DType::I64, {{64, true}}}), "I64[64N]");
  EXPECT_EQ(to_string(Type{DType::F32, {}}), "F32[]");
}

TEST(OpsType, RefusesWhatNoValueCanBe) {
  EXPECT_EQ(type_problem({DType::F32, {{1, true}, {kMaxSize}}}), "");
  EXPECT_NE(type_problem({DType::F32, {{0}}}), "");
  EXPECT_NE(type_problem({DType::F32, {{-3}}}), "");
  EXPECT_NE(type_problem({DType::F32, {{kMaxSize + 1}}}), "");
  EXPECT_NE(type_problem({DType::F32, {{kMaxSize}, {kMaxSize}, {kMaxSize}}}), "");
  EXPECT_NE(type_problem({DType::F32, {{1, true}, {2, true}}}), "");
  EXPECT_NE(type_problem({DType::F32, Dims(kMaxRank + 1)}), "");
  EXPECT_NE(type_problem({DType::C64, {{1}}}), "");
}

TEST(OpsType, ResolvesForABatch) {
  const auto shape = resolve({{4, true}, {5}}, 3);
  EXPECT_EQ(shape.count(), 60);
  EXPECT_EQ(strides_of(shape)[0], 5);
}

}  // namespace
}  // namespace saccade::ops
