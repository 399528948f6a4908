#pragma once
// From libtorch's operators to ours: one function for each, in tables by name.

#include <span>
#include <string_view>

#include "saccade/base/error.h"
#include "saccade/trace/align.h"

namespace saccade::trace {

/// The graph under construction, and what a lowering asks about the event in hand.
class Lowering {
 public:
  explicit Lowering(const Alignment& runs) : runs_(runs) {}

  /// Translates everything. Throws Error (not_supported) naming module and operator.
  [[nodiscard]] plan::Graph run();

  // The event in hand: arguments by their position in libtorch's schema.
  [[nodiscard]] size_t count() const { return event().arguments.size(); }
  [[nodiscard]] bool has(size_t argument) const;
  /// A tensor or a number, as a value of the graph.
  [[nodiscard]] plan::ValueId value(size_t argument);
  [[nodiscard]] plan::ValueId optional_value(size_t argument);
  [[nodiscard]] std::vector<plan::ValueId> values(size_t argument);
  [[nodiscard]] int64_t integer(size_t argument) const;
  [[nodiscard]] double real(size_t argument) const;
  [[nodiscard]] bool flag(size_t argument) const;
  [[nodiscard]] std::string text(size_t argument) const;
  [[nodiscard]] const std::vector<int64_t>& integers(size_t argument) const;
  [[nodiscard]] bool is_list(size_t argument) const;
  /// A list of two numbers; one number stands for both.
  [[nodiscard]] std::vector<int64_t> pair(size_t argument) const;
  /// A dimension, counted from the back if negative.
  [[nodiscard]] int64_t axis(size_t argument, size_t rank) const;
  [[nodiscard]] int64_t axis_of(int64_t axis, size_t rank) const;
  [[nodiscard]] std::vector<int64_t> axes(size_t argument, size_t rank) const;
  [[nodiscard]] static std::vector<int64_t> all_axes(size_t rank);
  [[nodiscard]] const ops::Dims& dims(plan::ValueId id) const { return graph_.value(id).type.dims; }
  [[nodiscard]] DType dtype(plan::ValueId id) const { return graph_.value(id).type.dtype; }
  [[nodiscard]] ops::Dims result_dims(size_t result = 0) const;
  [[nodiscard]] bool result_is_float() const;
  [[nodiscard]] size_t result_count() const { return event().results.size(); }

  plan::ValueId add(ops::Op op, std::vector<plan::ValueId> operands,
                    const ops::NamedAttributes& attributes = {});
  /// Names the value of a result; each result needs one.
  void give(plan::ValueId id, size_t result = 0);

  plan::ValueId scalar(double number);
  plan::ValueId floats(plan::ValueId id);
  plan::ValueId reshape(plan::ValueId id, const ops::Dims& dims);
  plan::ValueId permute(plan::ValueId id, std::vector<int64_t> axes);
  plan::ValueId slice(plan::ValueId id, int64_t axis, int64_t start, int64_t end, int64_t step = 1);
  plan::ValueId concat(std::vector<plan::ValueId> ids, int64_t axis);
  /// Refuses the event in hand.
  [[nodiscard]] Error refuse(std::string_view why) const;

 private:
  [[nodiscard]] const Event& event() const { return runs_.first().events[current_]; }
  /// The module of the event in hand; empty behind the last one.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] const Argument& fixed(size_t argument) const;
  plan::ValueId resolve(const Use& use);
  plan::ValueId add_constant(const Use& use);
  plan::ValueId repeat(plan::ValueId id, const ops::Dims& dims);

  const Alignment& runs_;
  plan::Graph graph_;
  size_t current_ = 0;
  std::vector<plan::ValueId> traced_;  ///< by the number of the traced value
  std::vector<plan::ValueId> leaves_;  ///< by the number of the leaf
};

struct Rule {
  std::string_view op;  ///< without "aten::" and without the "_" of a variant that writes in place
  void (*lower)(Lowering&);
};
[[nodiscard]] std::span<const Rule> math_rules();
[[nodiscard]] std::span<const Rule> shape_rules();

}  // namespace saccade::trace
