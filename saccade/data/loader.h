#pragma once
// Batches made ahead of their use on worker threads, given out in order.

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "saccade/data/sampler.h"

namespace saccade::data {

struct LoaderOptions {
  int64_t batch_size = 32;
  int threads = 0;         ///< workers; 0: as many as thread_count() (base/thread_pool.h)
  int64_t prefetch = 2;    ///< full batches that may wait for the consumer
  bool drop_last = false;  ///< leaves out a last batch that is not full
};

namespace detail {

/// Runs work(0), work(1), ... on threads, never more than `window` items ahead of what the consumer
/// has released. One consumer.
class OrderedWork {
 public:
  OrderedWork(int64_t count, int64_t window, int threads, std::function<void(int64_t item)> work);
  /// Waits for the items that run and starts no other.
  ~OrderedWork();
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  /// Blocks until every item below `end` is done; rethrows the exception of the first that failed.
  void wait(int64_t end);
  /// The consumer is through with the items below `end`; their places are used again.
  void release(int64_t end);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace detail

template <class Sample>
struct Batch {
  std::span<const Pick> picks;  ///< valid while the loader lives
  std::vector<Sample> samples;  ///< one for each pick
};

/// Calls `load` once for each pick, on several threads at once, and gives the results in batches in
/// the order of the picks, whatever the number of threads. `load` must be thread-safe; parallel_for
/// inside it runs serially. The loader itself belongs to one thread. It may be destroyed at any
/// time: that waits for the samples being loaded, no longer.
template <class Sample>
class Loader {
 public:
  using Load = std::function<Sample(const Pick& pick)>;

  Loader(std::vector<Pick> picks, const LoaderOptions& options, Load load)
      : picks_(std::move(picks)), options_(options), load_(std::move(load)) {
    const auto batch = options_.batch_size;
    count_ = static_cast<int64_t>(picks_.size());
    if (options_.drop_last) count_ -= count_ % batch;
    const int64_t window = batch * (options_.prefetch + 1);
    slots_.resize(static_cast<size_t>(std::min(window, count_)));
    work_.emplace(count_, window, options_.threads, [this](int64_t item) {
      slot(item).emplace(load_(picks_[static_cast<size_t>(item)]));
    });
  }

  /// Batches in all.
  [[nodiscard]] int64_t batches() const {
    return (count_ + options_.batch_size - 1) / options_.batch_size;
  }

  /// The next batch; nothing at the end. Rethrows what `load` threw, for the earliest pick of the
  /// batch that failed; the loader is at its end then.
  [[nodiscard]] std::optional<Batch<Sample>> next() {
    if (next_ >= count_) return std::nullopt;
    const int64_t first = std::exchange(next_, count_);
    const int64_t end = std::min(first + options_.batch_size, count_);
    work_->wait(end);
    Batch<Sample> batch;
    batch.picks =
        std::span(picks_).subspan(static_cast<size_t>(first), static_cast<size_t>(end - first));
    batch.samples.reserve(batch.picks.size());
    for (int64_t item = first; item < end; ++item) {
      batch.samples.push_back(std::move(*slot(item)));
      slot(item).reset();
    }
    work_->release(end);
    next_ = end;
    return batch;
  }

 private:
  std::optional<Sample>& slot(int64_t item) {
    return slots_[static_cast<size_t>(item) % slots_.size()];
  }

  std::vector<Pick> picks_;
  LoaderOptions options_;
  Load load_;
  int64_t count_ = 0;
  int64_t next_ = 0;
  std::vector<std::optional<Sample>> slots_;  // item i lies at i modulo the size
  std::optional<detail::OrderedWork> work_;   // last: its threads end before the rest goes
};

}  // namespace saccade::data
