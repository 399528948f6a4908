#include "saccade/data/loader.h"

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "saccade/base/random.h"
#include "saccade/base/thread_pool.h"

namespace saccade::data {
namespace {

using std::chrono::microseconds;

/// Takes a while that differs from sample to sample, so that workers finish out of order.
double slow_sample(const Pick& pick) {
  Random random(1, 2, static_cast<uint64_t>(pick.index), "test");
  std::this_thread::sleep_for(microseconds(random.below(60)));
  return random.uniform();
}

std::vector<double> run(int threads, int64_t prefetch, int64_t batch, bool drop_last = false) {
  Loader<double> loader(epoch_order({.size = 103, .shuffle = true, .seed = 7, .epoch = 3}),
                        {batch, threads, prefetch, drop_last}, slow_sample);
  std::vector<double> all;
  int64_t batches = 0;
  while (const auto next = loader.next()) {
    EXPECT_EQ(next->picks.size(), next->samples.size());
    all.insert(all.end(), next->samples.begin(), next->samples.end());
    ++batches;
  }
  EXPECT_EQ(batches, loader.batches());
  EXPECT_FALSE(loader.next().has_value());
  return all;
}

TEST(Loader, GivesTheSameSamplesForEveryNumberOfThreads) {
  const auto one = run(1, 0, 8);
  ASSERT_EQ(one.size(), 103u);
  for (const int threads : {2, 3, 8, 64})
    for (const int64_t prefetch : {0, 1, 4})
      for (const int64_t batch : {1, 8, 200}) EXPECT_EQ(run(threads, prefetch, batch), one);
}

TEST(Loader, DropsATailThatIsNoFullBatch) {
  auto whole = run(2, 1, 8);
  whole.resize(96);
  EXPECT_EQ(run(2, 1, 8, true), whole);
  EXPECT_TRUE(run(2, 1, 200, true).empty());
}

TEST(Loader, StaysWithinTheWindow) {
  std::atomic<int64_t> started{0};
  Loader<int64_t> loader(epoch_order({.size = 1000}), {4, 4, 2, false}, [&](const Pick& pick) {
    ++started;
    return pick.index;
  });
  std::this_thread::sleep_for(microseconds(20000));
  EXPECT_LE(started.load(), 12);
  ASSERT_TRUE(loader.next().has_value());
  std::this_thread::sleep_for(microseconds(20000));
  EXPECT_LE(started.load(), 16);
}

TEST(Loader, RethrowsTheEarliestFailureInItsPlace) {
  for (const int threads : {1, 4}) {
    Loader<int64_t> loader(epoch_order({.size = 40}), {8, threads, 4, false},
                           [](const Pick& pick) -> int64_t {
                             if (pick.index == 21 || pick.index == 17 || pick.index == 30)
                               throw std::runtime_error(std::to_string(pick.index));
                             return pick.index;
                           });
    EXPECT_EQ(loader.next()->samples.front(), 0);
    EXPECT_EQ(loader.next()->samples.front(), 8);
    try {
      (void)loader.next();
      FAIL() << "sample 17 did not throw";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "17");
    }
    EXPECT_FALSE(loader.next().has_value());
  }
}

TEST(Loader, EndsCleanlyAtAnyTime) {
  for (int round = 0; round < 40; ++round) {
    Loader<double> loader(epoch_order({.size = 500}), {4, 3, 3, false}, slow_sample);
    for (int i = 0; i < round % 7; ++i) ASSERT_TRUE(loader.next().has_value());
    if (round % 2 == 0) std::this_thread::sleep_for(microseconds(round * 20));
  }
}

TEST(Loader, AnEmptyEpochHasNoBatch) {
  Loader<double> loader({}, {}, slow_sample);
  EXPECT_EQ(loader.batches(), 0);
  EXPECT_FALSE(loader.next().has_value());
}

TEST(Loader, MovesSamplesThatCannotBeCopied) {
  Loader<std::unique_ptr<int64_t>> loader(
      epoch_order({.size = 5}), {2, 2, 1, false},
      [](const Pick& p) { return std::make_unique<int64_t>(p.index); });
  int64_t sum = 0;
  while (const auto batch = loader.next())
    for (const auto& sample : batch->samples) sum += *sample;
  EXPECT_EQ(sum, 10);
}

TEST(Loader, LoopsInsideASampleRunOnItsWorker) {
  Loader<bool> loader(epoch_order({.size = 8}), {4, 2, 1, false}, [](const Pick&) {
    const auto self = std::this_thread::get_id();
    std::atomic<bool> same = true;
    parallel_for(64, 1, [&](int64_t, int64_t) {
      if (std::this_thread::get_id() != self) same = false;
    });
    return same.load();
  });
  while (const auto batch = loader.next())
    for (const bool same : batch->samples) EXPECT_TRUE(same);
}

TEST(Sampler, CountsUpWithoutShuffling) {
  const auto picks = epoch_order({.size = 5, .start = 2});
  EXPECT_EQ(picks, (std::vector<Pick>{{2, 2}, {3, 3}, {4, 4}}));
}

TEST(Sampler, ShufflesEveryEpochAnew) {
  const auto order = [](uint64_t seed, uint64_t epoch) {
    return epoch_order({.size = 50, .shuffle = true, .seed = seed, .epoch = epoch});
  };
  EXPECT_EQ(order(1, 1), order(1, 1));
  EXPECT_NE(order(1, 1), order(1, 2));
  EXPECT_NE(order(1, 1), order(2, 1));
  std::set<int64_t> seen;
  for (const auto& pick : order(1, 1)) seen.insert(pick.index);
  EXPECT_EQ(seen.size(), 50u);
}

TEST(Sampler, ResumesInsideAnEpoch) {
  const auto whole = epoch_order({.size = 50, .shuffle = true, .seed = 3, .epoch = 4});
  const auto rest = epoch_order({.size = 50, .shuffle = true, .seed = 3, .epoch = 4, .start = 20});
  EXPECT_EQ(rest, std::vector<Pick>(whole.begin() + 20, whole.end()));
}

TEST(Sampler, ProcessesShareOneGlobalOrder) {
  const SamplerOptions base{.size = 53, .shuffle = true, .seed = 9, .start = 12, .batch_size = 4};
  const auto whole = epoch_order(base);
  for (const int64_t world : {2, 3}) {
    std::vector<Pick> joined(whole.size(), Pick{-1, -1});
    for (int64_t rank = 0; rank < world; ++rank) {
      auto options = base;
      options.rank = rank;
      options.world = world;
      for (const auto& pick : epoch_order(options))
        joined[static_cast<size_t>(pick.position - 12)] = pick;
    }
    EXPECT_EQ(joined, whole);
  }
}

TEST(Sampler, DropLastGivesEveryProcessFullBatches) {
  for (int64_t rank = 0; rank < 3; ++rank) {
    const auto picks =
        epoch_order({.size = 53, .rank = rank, .world = 3, .batch_size = 4, .drop_last = true});
    EXPECT_EQ(picks.size(), 16u);
  }
}

}  // namespace
}  // namespace saccade::data
