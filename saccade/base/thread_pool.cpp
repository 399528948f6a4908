#include "saccade/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace saccade {
namespace {

std::atomic<int> override_threads{0};
thread_local bool inside_body = false;

int default_threads() {
  if (const char* text = std::getenv("SACCADE_THREADS"))
    if (const int threads = std::atoi(text); threads > 0) return std::min(threads, 256);
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

/// One loop: pieces are handed out by a counter until none is left.
struct Loop {
  int64_t count, grain;
  const std::function<void(int64_t, int64_t)>& body;
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::condition_variable finished;
  int helpers = 0;  // guarded by mutex: pool threads still inside run()
  std::exception_ptr error;

  void run() {
    inside_body = true;
    for (;;) {
      const int64_t begin = next.fetch_add(grain);
      if (begin >= count) break;
      try {
        body(begin, std::min(count, begin + grain));
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!error) error = std::current_exception();
        next.store(count);
      }
    }
    inside_body = false;
  }
};

class Pool {
 public:
  ~Pool() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void run(Loop& loop, int helpers) {
    {
      const std::scoped_lock lock(mutex_);
      while (static_cast<int>(threads_.size()) < helpers) threads_.emplace_back([this] { work(); });
      for (int i = 0; i < helpers; ++i) queue_.push_back(&loop);
      loop.helpers = helpers;
    }
    wake_.notify_all();
    loop.run();
    take_back(loop);
    std::unique_lock lock(loop.mutex);
    loop.finished.wait(lock, [&] { return loop.helpers == 0; });
  }

 private:
  /// Removes places in the queue that no pool thread has taken: the loop is over.
  void take_back(Loop& loop) {
    const std::scoped_lock lock(mutex_);
    const auto removed = std::erase(queue_, &loop);
    const std::scoped_lock loop_lock(loop.mutex);
    loop.helpers -= static_cast<int>(removed);
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (stop_) return;
      Loop* loop = queue_.front();
      queue_.pop_front();
      lock.unlock();
      loop->run();
      {
        const std::scoped_lock loop_lock(loop->mutex);
        if (--loop->helpers == 0) loop->finished.notify_all();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Loop*> queue_;
  std::vector<std::thread> threads_;
  bool stop_ = false;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

SerialScope::SerialScope() : outer_(std::exchange(inside_body, true)) {}
SerialScope::~SerialScope() { inside_body = outer_; }

int thread_count() {
  const int chosen = override_threads.load();
  static const int automatic = default_threads();
  return chosen > 0 ? chosen : automatic;
}

void set_thread_count(int threads) { override_threads.store(std::clamp(threads, 0, 256)); }

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  const int64_t pieces = (count + grain - 1) / grain;
  const auto threads = static_cast<int>(std::min<int64_t>(thread_count(), pieces));
  if (threads <= 1 || inside_body) {
    for (int64_t begin = 0; begin < count; begin += grain)
      body(begin, std::min(count, begin + grain));
    return;
  }
  Loop loop{count, grain, body, 0, {}, {}, 0, nullptr};
  pool().run(loop, threads - 1);
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace saccade
