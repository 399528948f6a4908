#pragma once
// Types of values in a graph: element type and a shape whose sizes are numbers or multiples of N,
// the number of pictures in a batch.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "saccade/base/dtype.h"
#include "saccade/base/tensor.h"

namespace saccade::ops {

inline constexpr int kMaxRank = 8;
/// Largest size of one dimension, and largest magnitude of an integer attribute: sums and products
/// of two of them cannot overflow.
inline constexpr int64_t kMaxSize = (int64_t{1} << 31) - 1;
/// Largest number of elements of one value for one picture.
inline constexpr int64_t kMaxElements = int64_t{1} << 36;

/// `size`, or `size * N` where `batch` is set.
struct Dim {
  int64_t size = 1;
  bool batch = false;
  bool operator==(const Dim&) const = default;
};
/// At most kMaxRank of them, at most one with N.
using Dims = std::vector<Dim>;

struct Type {
  DType dtype = DType::F32;
  Dims dims;
  bool operator==(const Type&) const = default;
};

/// "197", "N", "64N"
[[nodiscard]] std::string to_string(const Dim& dim);
/// "[N, 197, 192]"
[[nodiscard]] std::string to_string(const Dims& dims);
/// "F32[N, 197, 192]"
[[nodiscard]] std::string to_string(const Type& type);

/// Empty if the type can exist, else what is wrong: rank, sizes (1 ... kMaxSize), more than one N,
/// elements, an element type that operators do not know.
[[nodiscard]] std::string type_problem(const Type& type);
/// Elements for one picture (N = 1) of a type without problem.
[[nodiscard]] int64_t elements(const Dims& dims);
[[nodiscard]] bool has_batch(const Dims& dims);
/// Dimensions without N.
[[nodiscard]] Dims fixed_dims(std::span<const int64_t> shape);

/// Sizes for a given N, without memory of its own.
struct Extents {
  std::array<int64_t, kMaxRank> size{};
  int rank = 0;

  Extents() = default;
  Extents(std::span<const int64_t> sizes);
  [[nodiscard]] int64_t operator[](int axis) const { return size[static_cast<size_t>(axis)]; }
  [[nodiscard]] int64_t& operator[](int axis) { return size[static_cast<size_t>(axis)]; }
  [[nodiscard]] std::span<const int64_t> span() const {
    return {size.data(), static_cast<size_t>(rank)};
  }
  /// Product of the sizes from `first` to before `last`.
  [[nodiscard]] int64_t product(int first, int last) const;
  [[nodiscard]] int64_t count() const { return product(0, rank); }
  [[nodiscard]] int64_t last() const { return size[static_cast<size_t>(rank - 1)]; }
};

[[nodiscard]] Extents resolve(const Dims& dims, int64_t batch);
/// Row-major strides, in elements.
[[nodiscard]] Extents strides_of(const Extents& shape);

}  // namespace saccade::ops
