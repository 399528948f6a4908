#pragma once
// Three executions with different inputs and batches, read as one: what is the same is a constant
// of the model, what grows with the batch is a multiple of N, anything else is an error.

#include <array>

#include "saccade/plan/graph.h"
#include "saccade/trace/record.h"

namespace saccade::trace {

class Alignment {
 public:
  /// Throws Error (not_supported) naming the first module where the runs took different paths.
  explicit Alignment(std::array<Run, 3> runs);

  [[nodiscard]] size_t size() const { return first().events.size(); }
  [[nodiscard]] const Run& first() const { return runs_[0]; }
  [[nodiscard]] const Run& run(size_t i) const { return runs_[i]; }

  /// The shape of a result of an event.
  [[nodiscard]] ops::Dims result_dims(size_t event, size_t result) const;
  [[nodiscard]] ops::Dims input_dims(size_t input) const;
  /// An argument that must not differ between the runs.
  [[nodiscard]] const Argument& fixed(size_t event, size_t argument) const;
  /// A leaf that is the same for every batch, or repeated N times along one dimension: then the
  /// tensor is the part for one picture, and `dims` the full shape.
  struct Constant {
    at::Tensor tensor;
    ops::Dims dims;
    std::string name;
  };
  [[nodiscard]] Constant constant(int32_t leaf, const std::string& path) const;

 private:
  [[nodiscard]] ops::Dims dims(const std::array<const Shape*, 3>& shapes,
                               const std::string& path) const;
  void check_event(size_t index) const;

  std::array<Run, 3> runs_;
};

}  // namespace saccade::trace
