#pragma once
// What type rules and reference kernels of this room are handed.

#include <cmath>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "saccade/base/check.h"
#include "saccade/ops/layout.h"
#include "saccade/ops/op.h"

namespace saccade::ops {

/// Attributes by name; the kinds were checked against the table before.
class AttributeView {
 public:
  AttributeView(const OpInfo& op, const Attributes& attributes)
      : op_(op), attributes_(attributes) {}
  [[nodiscard]] int64_t integer(std::string_view name) const { return get<int64_t>(name); }
  [[nodiscard]] double real(std::string_view name) const { return get<double>(name); }
  [[nodiscard]] const std::vector<int64_t>& integers(std::string_view name) const {
    return get<std::vector<int64_t>>(name);
  }
  [[nodiscard]] const Dims& dims(std::string_view name) const { return get<Dims>(name); }

 private:
  template <class T>
  const T& get(std::string_view name) const {
    return std::get<T>(attributes_[op_.attribute(name)]);
  }
  const OpInfo& op_;
  const Attributes& attributes_;
};

/// The operands' types while the result's is inferred.
class Rule : public AttributeView {
 public:
  Rule(const OpInfo& op, std::span<const Type* const> operands, const Attributes& attributes)
      : AttributeView(op, attributes), operands_(operands) {}
  [[nodiscard]] size_t count() const { return operands_.size(); }
  [[nodiscard]] bool has(size_t i) const { return i < operands_.size() && operands_[i]; }
  [[nodiscard]] const Type& operand(size_t i) const { return *operands_[i]; }
  [[nodiscard]] const Dims& shape(size_t i) const { return operands_[i]->dims; }

  template <class... Args>
  void require(bool holds, fmt::format_string<Args...> text, Args&&... args) const {
    if (!holds) throw RuleError(fmt::format(text, std::forward<Args>(args)...));
  }
  void require_float(size_t i) const {
    require(operand(i).dtype == DType::F32, "operand {} is {}; F32 is expected", i,
            to_string(operand(i)));
  }
  void require_rank(size_t i, size_t least, size_t most = kMaxRank) const {
    require(shape(i).size() >= least && shape(i).size() <= most,
            "operand {} is {}; {} to {} dimensions are expected", i, to_string(operand(i)), least,
            most);
  }
  void require_type(size_t i, const Type& expected) const {
    require(operand(i) == expected, "operand {} is {}; {} is expected", i, to_string(operand(i)),
            to_string(expected));
  }
  /// Operand i broadcasts to `to` without changing it.
  void require_broadcast(size_t i, const Dims& to) const {
    const auto& from = shape(i);
    require_float(i);
    bool fits = from.size() <= to.size();
    for (size_t d = 0; fits && d < from.size(); ++d)
      fits = from[d] == Dim{} || from[d] == to[to.size() - from.size() + d];
    require(fits, "operand {} is {}; it does not broadcast to {}", i, to_string(operand(i)),
            to_string(to));
  }
  /// A dimension of `rank`, counted from the back if negative.
  [[nodiscard]] size_t axis(int64_t axis, size_t rank) const {
    const auto size = static_cast<int64_t>(rank);
    require(axis >= 0 && axis < size, "axis {} of {} dimensions", axis, size);
    return static_cast<size_t>(axis);
  }

 private:
  std::span<const Type* const> operands_;
};

/// A value in memory, row-major unless `layout` says panels. Absent operands have no data.
struct Operand {
  const std::byte* data = nullptr;
  DType dtype = DType::F32;
  Extents shape;
  Layout layout = Layout::row_major;

  template <class T>
  [[nodiscard]] const T* as() const {
    return reinterpret_cast<const T*>(data);
  }
};

struct Result {
  std::byte* data = nullptr;
  DType dtype = DType::F32;
  Extents shape;

  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

/// Operands and result of one execution. Types fit the rule. A kernel allocates nothing.
class Call : public AttributeView {
 public:
  Call(const OpInfo& op, std::span<const Operand> operands, const Attributes& attributes,
       Result result)
      : AttributeView(op, attributes), operands_(operands), result_(result) {}
  [[nodiscard]] size_t count() const { return operands_.size(); }
  [[nodiscard]] bool has(size_t i) const { return i < operands_.size() && operands_[i].data; }
  [[nodiscard]] const Operand& operand(size_t i) const { return operands_[i]; }
  [[nodiscard]] const Extents& shape(size_t i) const { return operands_[i].shape; }
  [[nodiscard]] const Result& result() const { return result_; }
  [[nodiscard]] const float* floats(size_t i) const { return operands_[i].as<float>(); }
  [[nodiscard]] float* floats() const { return result_.as<float>(); }

 private:
  std::span<const Operand> operands_;
  Result result_;
};

/// Calls body(i, offsets, index) for every element of `shape` in row-major order: its number, the
/// offsets by each set of strides, and its coordinates.
template <size_t K, class Body>
void walk(const Extents& shape, const std::array<Extents, K>& strides, Body body) {
  std::array<int64_t, kMaxRank> index{};
  std::array<int64_t, K> offsets{};
  const int64_t count = shape.count();
  for (int64_t i = 0; i < count; ++i) {
    body(i, offsets, index);
    for (int axis = shape.rank; axis-- > 0;) {
      auto& place = index[static_cast<size_t>(axis)];
      for (size_t k = 0; k < K; ++k) offsets[k] += strides[k][axis];
      if (++place < shape[axis]) break;
      for (size_t k = 0; k < K; ++k) offsets[k] -= strides[k][axis] * shape[axis];
      place = 0;
    }
  }
}

/// Strides of a value of shape `from` read as `to`, to which it broadcasts (from the right).
[[nodiscard]] Extents broadcast_strides(const Extents& from, const Extents& to);

/// The activation's value.
[[nodiscard]] float activate(Activation activation, float x);

/// The families that make up the table.
[[nodiscard]] std::span<const OpInfo> elementwise_ops();
[[nodiscard]] std::span<const OpInfo> matrix_ops();
[[nodiscard]] std::span<const OpInfo> normalize_ops();
[[nodiscard]] std::span<const OpInfo> shape_ops();
[[nodiscard]] std::span<const OpInfo> spatial_ops();

}  // namespace saccade::ops
