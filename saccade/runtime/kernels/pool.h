#pragma once
// Threads for the operators of one inference after another: they spin briefly between two jobs,
// then sleep. A job is a number of independent tasks; whoever is free takes the next one.

#include <cstdint>
#include <memory>
#include <type_traits>

namespace saccade::runtime {

/// A pool may be shared: run() from a second thread while a job is on, and run() inside a task, do
/// the work on the calling thread alone, as thread 0.
class Pool {
 public:
  /// `threads` counts the caller of run(): a pool of 1 starts none.
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] int threads() const;

  /// Calls body(task, thread) for every task in [0, tasks), each once, and returns when all are
  /// done. `thread` in [0, threads()) names the scratch that the call may use. Which thread takes
  /// which task is not defined: thread t begins with the t-th part of the range and helps the
  /// others afterwards. The first exception is rethrown, tasks not begun are then dropped. Does
  /// not allocate.
  template <class Body>
  void run(int64_t tasks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run_job({tasks, const_cast<void*>(static_cast<const void*>(&body)),
             [](void* context, int64_t task, int thread) {
               (*static_cast<Plain*>(context))(task, thread);
             }});
  }

 private:
  struct Job {
    int64_t tasks;
    void* context;
    void (*call)(void* context, int64_t task, int thread);
  };
  struct State;

  void run_job(const Job& job);

  std::unique_ptr<State> state_;
};

}  // namespace saccade::runtime
