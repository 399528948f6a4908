#include "saccade/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "saccade/base/check.h"
#include "saccade/base/thread_pool.h"

namespace saccade::data::detail {

struct OrderedWork::State {
  int64_t count, window;
  std::function<void(int64_t)> work;

  std::mutex mutex;  // guards all below but the threads
  std::condition_variable may_start, is_done;
  int64_t next = 0;      // first item that nobody has taken
  int64_t released = 0;  // items below it are consumed
  bool stop = false;
  std::vector<uint8_t> done;               // of item i at i modulo the window
  std::vector<std::exception_ptr> errors;  // likewise
  std::vector<std::thread> threads;

  size_t place(int64_t item) const { return static_cast<size_t>(item % window); }

  void run() {
    const SerialScope serial;
    std::unique_lock lock(mutex);
    for (;;) {
      may_start.wait(lock, [&] { return stop || next >= count || next < released + window; });
      if (stop || next >= count) return;
      const int64_t item = next++;
      lock.unlock();
      std::exception_ptr error;
      try {
        work(item);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      errors[place(item)] = std::move(error);
      done[place(item)] = 1;
      is_done.notify_one();
    }
  }

  void end() {
    {
      const std::scoped_lock lock(mutex);
      stop = true;
    }
    may_start.notify_all();
    for (auto& thread : threads) thread.join();
  }
};

OrderedWork::OrderedWork(int64_t count, int64_t window, int threads,
                         std::function<void(int64_t)> work)
    : state_(std::make_unique<State>()) {
  SACCADE_CHECK(count >= 0 && window > 0, "{} items, {} ahead", count, window);
  auto& s = *state_;
  s.count = count;
  s.window = std::max<int64_t>(std::min(window, count), 1);
  s.work = std::move(work);
  s.done.resize(static_cast<size_t>(s.window));
  s.errors.resize(static_cast<size_t>(s.window));
  const auto workers = std::min<int64_t>(threads > 0 ? threads : thread_count(), s.window);
  try {
    for (int64_t i = 0; i < std::min(workers, count); ++i)
      s.threads.emplace_back([&s] { s.run(); });
  } catch (...) {  // the system refused a thread: those that run must end before we go
    s.end();
    throw;
  }
}

OrderedWork::~OrderedWork() { state_->end(); }

void OrderedWork::wait(int64_t end) {
  auto& s = *state_;
  SACCADE_CHECK(end <= s.count && end <= s.released + s.window, "item {} is not under way", end);
  std::unique_lock lock(s.mutex);
  for (int64_t item = s.released; item < end; ++item) {
    s.is_done.wait(lock, [&] { return s.done[s.place(item)] != 0; });
    if (const auto error = std::exchange(s.errors[s.place(item)], nullptr))
      std::rethrow_exception(error);
  }
}

void OrderedWork::release(int64_t end) {
  auto& s = *state_;
  {
    const std::scoped_lock lock(s.mutex);
    for (int64_t item = s.released; item < end; ++item) s.done[s.place(item)] = 0;
    s.released = std::max(s.released, end);
  }
  s.may_start.notify_all();
}

}  // namespace saccade::data::detail
