#pragma once
// One caller's execution of a shared model: the arena and what the operators need while they run.
// Nothing is allocated by run() once a batch size has been prepared.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "saccade/base/engine.h"
#include "saccade/runtime/model.h"

namespace saccade::runtime {

struct Bound;

struct SessionOptions {
  int threads = 0;                        ///< 0: saccade::thread_count()
  int64_t max_bytes = int64_t{32} << 30;  ///< largest arena
  int64_t cache_bytes = 4 << 20;          ///< that the values of a portion may fill
  bool profile = false;                   ///< measure every operator
};

/// Time that one operator took, summed over runs.
struct StepTime {
  plan::ValueId value;
  double seconds = 0;
  const char* kernel = "";  ///< "reference" where there is no fast one
};

/// Not thread-safe; make one session for each thread that asks at the same time.
class Session {
 public:
  explicit Session(std::shared_ptr<const Model> model, const SessionOptions& options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const Model& model() const { return *model_; }

  /// Makes room for N = `batch` inputs of one of the model's sizes; free if that was prepared last.
  /// What input() and output() gave before is void. Throws Error (resources) if it does not fit,
  /// (usage) if batch < 1 or there is no such size.
  void prepare(int64_t batch, size_t size = 0);
  [[nodiscard]] int64_t batch() const { return batch_; }
  [[nodiscard]] size_t size() const { return size_; }
  /// Of the size that is prepared.
  [[nodiscard]] const plan::Graph& graph() const { return model_->graph(size_); }
  /// How many of the batch are computed together: so many that what they need stays in a core's
  /// cache.
  [[nodiscard]] int64_t portion() const { return portion_; }
  /// Bytes of the arena, for a portion, and of inputs and outputs, for the batch.
  [[nodiscard]] int64_t arena_size() const { return arena_size_; }

  /// Room for the input's values, row-major; fill it before each run.
  [[nodiscard]] std::span<std::byte> input(size_t index);
  /// Computes all outputs from the inputs. Deterministic: the same bits for any thread count.
  void run();
  /// A result of the last run, valid until the next one.
  [[nodiscard]] TensorView output(size_t index) const;
  /// Its numbers alone, without memory of the caller's.
  [[nodiscard]] std::span<const std::byte> output_bytes(size_t index) const;

  /// Of options.profile and the size that is prepared, in the order of execution.
  [[nodiscard]] const std::vector<StepTime>& times() const { return times_; }
  void reset_times();

 private:
  struct Impl;
  [[nodiscard]] std::byte* address(plan::ValueId id) const;
  [[nodiscard]] Bound bind(plan::ValueId id) const;
  void allocate(int64_t batch, size_t size);
  void find_moving();
  void move_to(int64_t portion);
  void run_steps();

  std::shared_ptr<const Model> model_;
  SessionOptions options_;
  std::unique_ptr<Impl> impl_;
  int64_t batch_ = 0;
  int64_t portion_ = 0;
  size_t size_ = 0;
  int64_t arena_size_ = 0;
  std::vector<StepTime> times_;
};

/// Random numbers in [-2, 2) for every input of F32, zeros for the others: what measurements run
/// on.
void fill_with_noise(Session& session);

/// A session behind the interface that tasks know: inputs by name, N from their first dimension.
/// Throws Error (usage) naming what was expected and what was given.
[[nodiscard]] std::shared_ptr<Engine> make_engine(std::shared_ptr<const Model> model,
                                                  const SessionOptions& options = {});

}  // namespace saccade::runtime
