#include "saccade/runtime/kernels/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace saccade::runtime {
namespace {

TEST(RuntimePool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    Pool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> count(tasks);
      std::atomic<bool> in_range{true};
      pool.run(tasks, [&](int64_t task, int thread) {
        ++count[task];
        if (thread < 0 || thread >= threads) in_range = false;
      });
      for (const auto& times : count) EXPECT_EQ(times, 1);
      EXPECT_TRUE(in_range);
    }
  }
}

TEST(RuntimePool, ManyShortJobsAndSleepInBetween) {
  Pool pool(3);
  int64_t sum = 0;
  for (int job = 0; job < 3000; ++job) {
    std::atomic<int64_t> part{0};
    pool.run(5, [&](int64_t task, int) { part += task; });
    sum += part;
    if (job % 300 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(sum, 30000);
}

TEST(RuntimePool, ThreadsOwnTheirScratch) {
  Pool pool(4);
  std::vector<int64_t> scratch(4);  // not atomic: the thread sanitizer would see two users
  for (int job = 0; job < 200; ++job) pool.run(50, [&](int64_t, int thread) { ++scratch[thread]; });
  int64_t sum = 0;
  for (const int64_t value : scratch) sum += value;
  EXPECT_EQ(sum, 10000);
}

TEST(RuntimePool, ExceptionsReachTheCallerAndThePoolLivesOn) {
  Pool pool(3);
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(pool.run(100,
                          [](int64_t task, int) {
                            if (task == 40) throw std::runtime_error("task 40");
                          }),
                 std::runtime_error);
    std::atomic<int> count{0};
    pool.run(100, [&](int64_t, int) { ++count; });
    EXPECT_EQ(count, 100);
  }
}

TEST(RuntimePool, NestedAndSharedRunsDoTheirWorkThemselves) {
  Pool pool(3);
  std::atomic<int> count{0};
  pool.run(6, [&](int64_t, int) { pool.run(10, [&](int64_t, int) { ++count; }); });
  EXPECT_EQ(count, 60);
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&] {
      for (int job = 0; job < 200; ++job) pool.run(4, [&](int64_t, int) { ++count; });
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(count, 60 + 3 * 200 * 4);
}

TEST(RuntimePool, ABusyNeighbourDoesNotStallIt) {
  // Twice as many threads as cores, all spinning: jobs must still end, and not in time slices each.
  Pool pool(2);
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<bool> stop{false};
  std::atomic<unsigned> running{0};
  std::vector<std::thread> hogs;
  for (unsigned i = 0; i < cores; ++i)
    hogs.emplace_back([&] {
      ++running;
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  while (running < cores) std::this_thread::yield();
  std::atomic<int64_t> done{0};
  const auto start = std::chrono::steady_clock::now();
  for (int job = 0; job < 2000; ++job) pool.run(8, [&](int64_t, int) { ++done; });
  const auto took = std::chrono::steady_clock::now() - start;
  stop = true;
  for (auto& hog : hogs) hog.join();
  EXPECT_EQ(done, 16000);
  EXPECT_LT(took, std::chrono::seconds(5));
}

}  // namespace
}  // namespace saccade::runtime
