#pragma once
// A small pool for loops over independent pieces.

#include <cstdint>
#include <functional>

namespace saccade {

/// Threads that `parallel_for` may use, the caller's included: SACCADE_THREADS, else the cores that
/// this process may run on.
[[nodiscard]] int thread_count();
/// Overrides it for the whole process (the --threads flag); 0 goes back to the default.
void set_thread_count(int threads);

/// Calls body(begin, end) on disjoint pieces of [0, count), each of `grain` items or fewer, on the
/// pool's threads and the caller's. Returns when all are done; the first exception is rethrown.
/// Which thread takes which piece is not defined, the pieces themselves depend on count and grain
/// alone. May be called from several threads, and inside a body (then it runs serially).
void parallel_for(int64_t count, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)>& body);

/// While one lives, parallel_for runs serially on this thread: for threads that are themselves one
/// of many (loader workers).
class SerialScope {
 public:
  SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  bool outer_;
};

}  // namespace saccade
