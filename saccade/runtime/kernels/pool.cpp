#include "saccade/runtime/kernels/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace saccade::runtime {
namespace {

constexpr int kLine = 64;  // bytes; counters of two threads never share one
constexpr auto kSpin = std::chrono::microseconds(50);  // longer than the gap between two operators
constexpr int kPausesPerLook = 32;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// Whether `ready` came true while spinning.
template <class Ready>
bool spin_until(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

}  // namespace

// A worker enters a job by raising `inside` while the job is open, and leaves by lowering it. The
// caller closes the job when no task is left and waits only for workers that are inside: one that
// the system has put aside between two jobs holds nobody up.
struct Pool::State {
  static constexpr uint32_t kOpen = 1U << 31;

  struct alignas(kLine) Part {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  explicit State(int count) : parts(count) {
    for (int i = 1; i < count; ++i) threads.emplace_back([this, i] { work(i); });
  }

  ~State() {
    stop.store(true);
    jobs.fetch_add(1);
    jobs.notify_all();
    for (auto& thread : threads) thread.join();
  }

  void work(int thread) {
    uint32_t seen = 0;
    for (;;) {
      const auto called = [&] { return jobs.load(std::memory_order_acquire) != seen; };
      if (!spin_until(called)) jobs.wait(seen);
      seen = jobs.load(std::memory_order_acquire);
      if (stop.load()) return;
      if (!enter()) continue;
      take_tasks(thread);
      if (inside.fetch_sub(1, std::memory_order_acq_rel) == 1) inside.notify_one();
    }
  }

  bool enter() {
    uint32_t value = inside.load(std::memory_order_relaxed);
    while ((value & kOpen) != 0)
      if (inside.compare_exchange_weak(value, value + 1, std::memory_order_acq_rel)) return true;
    return false;
  }

  /// First the thread's own part, then what the others have left.
  void take_tasks(int thread) {
    const int count = static_cast<int>(parts.size());
    for (int i = 0; i < count; ++i) {
      Part& part = parts[(thread + i) % count];
      while (part.next.load(std::memory_order_relaxed) < part.end) {
        const int64_t task = part.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= part.end) break;
        call(task, thread);
      }
    }
  }

  void call(int64_t task, int thread) {
    try {
      job.call(job.context, task, thread);
    } catch (...) {
      const std::scoped_lock lock(error_mutex);
      if (!error) error = std::current_exception();
      for (Part& part : parts) part.next.store(part.end);
    }
  }

  void open(const Job& next_job) {
    job = next_job;
    const auto count = static_cast<int64_t>(parts.size());
    for (int64_t i = 0; i < count; ++i) {
      parts[i].next.store(job.tasks * i / count, std::memory_order_relaxed);
      parts[i].end = job.tasks * (i + 1) / count;
    }
    inside.store(kOpen, std::memory_order_release);
    jobs.fetch_add(1, std::memory_order_release);
    jobs.notify_all();
  }

  void close() {
    inside.fetch_and(~kOpen, std::memory_order_acq_rel);
    const auto empty = [&] { return inside.load(std::memory_order_acquire) == 0; };
    if (spin_until(empty)) return;
    for (uint32_t value = inside.load(std::memory_order_acquire); value != 0;
         value = inside.load(std::memory_order_acquire))
      inside.wait(value, std::memory_order_acquire);
  }

  std::vector<Part> parts;                         // one per thread
  Job job{};                                       // written while nobody is inside
  alignas(kLine) std::atomic<uint32_t> jobs{0};    // counts jobs; sleepers wait on it
  alignas(kLine) std::atomic<uint32_t> inside{0};  // workers in the job, and kOpen
  std::atomic<bool> stop{false};
  std::atomic_flag busy;  // set while a job is on
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::thread> threads;  // last: they use everything above
};

Pool::Pool(int threads) : state_(std::make_unique<State>(std::max(1, threads))) {}
Pool::~Pool() = default;

int Pool::threads() const { return static_cast<int>(state_->parts.size()); }

void Pool::run_job(const Job& job) {
  if (threads() == 1 || job.tasks <= 1 || state_->busy.test_and_set(std::memory_order_acquire)) {
    for (int64_t task = 0; task < job.tasks; ++task) job.call(job.context, task, 0);
    return;
  }
  state_->open(job);
  state_->take_tasks(0);
  state_->close();
  const std::exception_ptr error = std::exchange(state_->error, nullptr);
  state_->busy.clear(std::memory_order_release);
  if (error) std::rethrow_exception(error);
}

}  // namespace saccade::runtime
