#include "saccade/train/optim/schedule.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::train {
namespace {

TEST(Schedule, EveryNameGivesFiniteRates) {
  for (const auto& name : schedule_names()) {
    Schedule schedule({.name = name, .t_initial = 10, .warmup_t = 2, .milestones = {3, 6}}, 0.1,
                      {1.0, 0.5});
    for (int t = 0; t < 15; ++t) {
      schedule.step(t, 1.0);
      ASSERT_TRUE(std::isfinite(schedule.rates()[0])) << name << " at " << t;
      ASSERT_GE(schedule.rates()[0], 0.0) << name << " at " << t;
      ASSERT_LE(schedule.rates()[0], 0.1 + 1e-12) << name << " at " << t;
    }
  }
}

TEST(Schedule, PlateauGoesOnFromItsState) {
  const ScheduleConfig config{.name = "plateau", .t_initial = 20, .patience_t = 1};
  Schedule whole(config, 1.0, {1.0}), first(config, 1.0, {1.0}), second(config, 1.0, {1.0});
  const double metrics[] = {0.5, 0.4, 0.4, 0.4, 0.6, 0.5, 0.5, 0.5};
  for (int t = 0; t < 8; ++t) {
    whole.step(t + 1, metrics[t]);
    if (t < 4) first.step(t + 1, metrics[t]);
    if (t == 3) second.set_state(parse_json(first.state().dump(), "state"), "file");
    if (t >= 4) second.step(t + 1, metrics[t]);
  }
  EXPECT_EQ(whole.rates(), second.rates());
  EXPECT_LT(whole.rates()[0], 1.0);
}

TEST(Schedule, RefusesWhatCannotBe) {
  EXPECT_THROW(Schedule({.name = "cosinus"}, 0.1, {1.0}), Error);
  EXPECT_THROW(Schedule({.t_initial = 0}, 0.1, {1.0}), Error);
  EXPECT_THROW(Schedule({.warmup_t = -1}, 0.1, {1.0}), Error);
  EXPECT_THROW(Schedule({.name = "step", .decay_t = 0}, 0.1, {1.0}), Error);
  Schedule schedule({}, 0.1, {1.0});
  for (const char* state : {"null", "{}", "{\"rates\": [1, 2]}", "{\"rates\": [\"a\"]}"})
    EXPECT_THROW(schedule.set_state(Json::parse(state), "file"), Error) << state;
}

}  // namespace
}  // namespace saccade::train
