#pragma once
// Plain tensors: the currency of every room but the four that know libtorch.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "saccade/base/dtype.h"

namespace saccade {

using Shape = std::vector<int64_t>;

/// Product of the sizes; nothing if a size is negative or the product overflows.
[[nodiscard]] std::optional<int64_t> numel(std::span<const int64_t> shape);
/// Row-major strides in elements.
[[nodiscard]] Shape contiguous_strides(std::span<const int64_t> shape);
/// "[2, 3, 224, 224]"
[[nodiscard]] std::string to_string(std::span<const int64_t> shape);

/// A strided, read-only view of bytes that somebody else owns. `bytes` starts at element 0; every
/// element that shape and strides (in elements, >= 0) can reach lies inside it.
struct TensorView {
  DType dtype = DType::F32;
  Shape shape;
  Shape strides;
  std::span<const std::byte> bytes;

  [[nodiscard]] int64_t numel() const;
  [[nodiscard]] bool is_contiguous() const;
};

/// A contiguous, row-major tensor that keeps its bytes alive: its own buffer, or a file map.
/// Copies share the bytes, which nobody changes after construction.
class HostTensor {
 public:
  HostTensor() = default;
  /// Zero-filled; `fill` may write it before anybody else sees it.
  HostTensor(DType dtype, Shape shape);
  /// Shares bytes that `owner` keeps alive.
  HostTensor(DType dtype, Shape shape, std::span<const std::byte> bytes,
             std::shared_ptr<const void> owner);

  template <class T>
  static HostTensor of(Shape shape, std::span<const T> values);

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] int64_t numel() const;
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] TensorView view() const;

  /// The elements as T (float for F32, int64_t for I64, ...); the sizes must agree.
  template <class T>
  [[nodiscard]] std::span<const T> as() const {
    check_element_size(sizeof(T));
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }
  /// Write access while the tensor is being filled by its maker.
  template <class T>
  [[nodiscard]] std::span<T> fill() {
    check_element_size(sizeof(T));
    return {reinterpret_cast<T*>(writable()), bytes_.size() / sizeof(T)};
  }

 private:
  void check_element_size(size_t size) const;
  std::byte* writable();

  DType dtype_ = DType::F32;
  Shape shape_{0};
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  bool own_buffer_ = false;
};

/// Named tensors in a fixed order: a state dict, or what an engine takes and gives.
using NamedTensors = std::vector<std::pair<std::string, HostTensor>>;

/// The tensor of that name, or null.
[[nodiscard]] const HostTensor* find(const NamedTensors& tensors, std::string_view name);

/// Row-major copy of a view; the copy is spared when the view is contiguous and has an owner.
[[nodiscard]] HostTensor contiguous(const TensorView& view,
                                    std::shared_ptr<const void> owner = nullptr);
/// The same values as F32 (from any real, integer or BOOL type of a byte or more).
[[nodiscard]] HostTensor to_float(const HostTensor& tensor);
/// The same values in another floating type (F32, BF16, F16).
[[nodiscard]] HostTensor cast(const HostTensor& tensor, DType dtype);

template <class T>
HostTensor HostTensor::of(Shape shape, std::span<const T> values) {
  constexpr DType dtype = std::is_same_v<T, float>     ? DType::F32
                          : std::is_same_v<T, double>  ? DType::F64
                          : std::is_same_v<T, int64_t> ? DType::I64
                          : std::is_same_v<T, int32_t> ? DType::I32
                                                       : DType::U8;
  HostTensor tensor(dtype, std::move(shape));
  auto out = tensor.fill<T>();
  std::copy(values.begin(), values.end(), out.begin());
  return tensor;
}

}  // namespace saccade
