#include "saccade/checkpoint/common/shapes.h"

#include <algorithm>

#include "saccade/base/checked.h"

namespace saccade::checkpoint {

std::optional<int64_t> byte_size(DType dtype, std::span<const int64_t> shape) {
  int64_t largest = bits(dtype);
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0) return std::nullopt;
    empty |= size == 0;
    const auto product = checked_mul(largest, std::max<int64_t>(size, 1));
    if (!product) return std::nullopt;
    largest = *product;
  }
  if (empty) return 0;
  return largest % 8 == 0 ? std::optional(largest / 8) : std::nullopt;
}

Shape fortran_strides(std::span<const int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (size_t i = 1; i < shape.size(); ++i) strides[i] = strides[i - 1] * shape[i - 1];
  return strides;
}

}  // namespace saccade::checkpoint
