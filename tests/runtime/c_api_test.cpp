#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>

#include "saccade/runtime/saccade.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"

namespace saccade::runtime {
namespace {

TEST(CApi, RunsAPlan) {
  plan::Plan plan;
  plan.graph = test::small_vit();
  plan.info.labels = {"a", "b"};
  const auto path = (std::filesystem::path(testing::TempDir()) / "saccade_c_api.plan").string();
  plan::write(plan, path);

  saccade_model* model = nullptr;
  ASSERT_EQ(saccade_model_open(path.c_str(), &model), 0) << saccade_last_error();
  EXPECT_EQ(saccade_model_inputs(model), 1U);
  EXPECT_EQ(saccade_model_outputs(model), 1U);
  EXPECT_STREQ(saccade_model_label(model, 1), "b");
  EXPECT_EQ(saccade_model_label(model, 2), nullptr);
  saccade_session* session = nullptr;
  ASSERT_EQ(saccade_session_create(model, 1, &session), 0);
  saccade_model_close(model);

  saccade_tensor tensor;
  EXPECT_EQ(saccade_session_input(session, 0, &tensor), 2);
  EXPECT_STRNE(saccade_last_error(), "");
  ASSERT_EQ(saccade_session_prepare(session, 2), 0);
  ASSERT_EQ(saccade_session_input(session, 0, &tensor), 0);
  EXPECT_STREQ(tensor.name, "images");
  const auto images = test::random_tensor({2, 3, 8, 8}, "images");
  ASSERT_EQ(tensor.bytes, images.bytes().size());
  std::memcpy(tensor.data, images.bytes().data(), tensor.bytes);
  ASSERT_EQ(saccade_session_run(session), 0);
  ASSERT_EQ(saccade_session_output(session, 0, &tensor), 0);
  EXPECT_EQ(tensor.rank, 2);
  EXPECT_EQ(tensor.shape[1], 5);
  const auto expected = make_engine(Model::open(path))->run({{"images", images}}).at(0).second;
  EXPECT_EQ(std::memcmp(tensor.data, expected.bytes().data(), tensor.bytes), 0);
  EXPECT_EQ(saccade_session_output(session, 1, &tensor), 2);
  EXPECT_EQ(saccade_session_prepare(session, 0), 2);
  saccade_session_destroy(session);
  std::filesystem::remove(path);
}

TEST(CApi, ListsAndChoosesSizes) {
  plan::Plan plan;
  plan.graph = test::small_vit();
  plan.others.push_back({test::small_vit({.side = 12}), {}});
  const auto path = (std::filesystem::path(testing::TempDir()) / "saccade_c_sizes.plan").string();
  plan::write(plan, path);
  saccade_model* model = nullptr;
  ASSERT_EQ(saccade_model_open(path.c_str(), &model), 0) << saccade_last_error();
  ASSERT_EQ(saccade_model_sizes(model), 2U);
  saccade_tensor tensor;
  ASSERT_EQ(saccade_model_input(model, 1, 0, &tensor), 0);
  EXPECT_EQ(tensor.shape[2], 12);
  EXPECT_EQ(tensor.bytes, 3U * 12 * 12 * 4);
  EXPECT_EQ(tensor.data, nullptr);
  EXPECT_EQ(saccade_model_input(model, 2, 0, &tensor), 2);
  EXPECT_EQ(saccade_model_input(model, 1, 1, &tensor), 2);
  saccade_session* session = nullptr;
  ASSERT_EQ(saccade_session_create(model, 1, &session), 0);
  for (const auto& [size, side] : {std::pair<size_t, int64_t>{1, 12}, {0, 8}}) {
    ASSERT_EQ(saccade_session_prepare_size(session, 3, size), 0) << saccade_last_error();
    ASSERT_EQ(saccade_session_input(session, 0, &tensor), 0);
    EXPECT_EQ(tensor.shape[3], side);
    std::memset(tensor.data, 0, tensor.bytes);
    ASSERT_EQ(saccade_session_run(session), 0);
    ASSERT_EQ(saccade_session_output(session, 0, &tensor), 0);
    EXPECT_EQ(tensor.shape[0], 3);
  }
  EXPECT_EQ(saccade_session_prepare_size(session, 1, 2), 2);
  saccade_session_destroy(session);
  saccade_model_close(model);
  std::filesystem::remove(path);
}

TEST(CApi, ErrorsHaveCodesAndReasons) {
  saccade_model* model = nullptr;
  EXPECT_EQ(saccade_model_open("does_not_exist.plan", &model), 3);
  EXPECT_NE(std::string(saccade_last_error()).find("does_not_exist.plan"), std::string::npos);
  EXPECT_EQ(model, nullptr);
  EXPECT_EQ(saccade_model_open(nullptr, &model), 2);
  EXPECT_EQ(saccade_session_create(nullptr, 0, nullptr), 2);
  EXPECT_EQ(saccade_session_run(nullptr), 2);
  saccade_model_close(nullptr);
  saccade_session_destroy(nullptr);
}

}  // namespace
}  // namespace saccade::runtime
