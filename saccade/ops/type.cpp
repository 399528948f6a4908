#include "saccade/ops/type.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "saccade/base/check.h"
#include "saccade/base/checked.h"

namespace saccade::ops {

std::string to_string(const Dim& dim) {
  if (!dim.batch) return fmt::format("{}", dim.size);
  return dim.size == 1 ? "N" : fmt::format("{}N", dim.size);
}

std::string to_string(const Dims& dims) {
  std::vector<std::string> parts;
  parts.reserve(dims.size());
  for (const auto& dim : dims) parts.push_back(to_string(dim));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string to_string(const Type& type) {
  return std::string(name(type.dtype)) + to_string(type.dims);
}

std::string type_problem(const Type& type) {
  constexpr std::array kTypes = {DType::F32, DType::BF16, DType::I64,
                                 DType::I32, DType::I8,   DType::BOOL};
  if (std::ranges::find(kTypes, type.dtype) == kTypes.end())
    return fmt::format("no operator takes {} values", name(type.dtype));
  if (type.dims.size() > kMaxRank)
    return fmt::format("{} dimensions; there may be {}", type.dims.size(), kMaxRank);
  if (std::ranges::count(type.dims, true, &Dim::batch) > 1)
    return fmt::format("{} has N more than once", to_string(type.dims));
  int64_t total = 1;
  for (const auto& dim : type.dims) {
    if (dim.size < 1 || dim.size > kMaxSize) return fmt::format("a dimension of {}", dim.size);
    const auto product = checked_mul(total, dim.size);
    if (!product || *product > kMaxElements)
      return fmt::format("{} has more than {} elements", to_string(type.dims), kMaxElements);
    total = *product;
  }
  return {};
}

int64_t elements(const Dims& dims) {
  int64_t total = 1;
  for (const auto& dim : dims) total *= dim.size;
  return total;
}

bool has_batch(const Dims& dims) { return std::ranges::any_of(dims, &Dim::batch); }

Dims fixed_dims(std::span<const int64_t> shape) {
  Dims dims;
  dims.reserve(shape.size());
  for (const int64_t size : shape) dims.push_back({size, false});
  return dims;
}

Extents::Extents(std::span<const int64_t> sizes) : rank(static_cast<int>(sizes.size())) {
  SACCADE_CHECK(rank <= kMaxRank, "rank {}", rank);
  std::ranges::copy(sizes, size.begin());
}

int64_t Extents::product(int first, int last) const {
  int64_t total = 1;
  for (int axis = first; axis < last; ++axis) total *= (*this)[axis];
  return total;
}

Extents resolve(const Dims& dims, int64_t batch) {
  Extents out;
  out.rank = static_cast<int>(dims.size());
  for (int axis = 0; axis < out.rank; ++axis) {
    const auto& dim = dims[static_cast<size_t>(axis)];
    out[axis] = dim.batch ? dim.size * batch : dim.size;
  }
  return out;
}

Extents strides_of(const Extents& shape) {
  Extents strides;
  strides.rank = shape.rank;
  int64_t step = 1;
  for (int axis = shape.rank; axis-- > 0;) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

}  // namespace saccade::ops
