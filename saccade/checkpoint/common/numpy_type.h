#pragma once
// numpy's type codes: "<f4", ">i2", "|b1", "|V2" ...

#include <optional>
#include <string>
#include <string_view>

#include "saccade/base/dtype.h"

namespace saccade::checkpoint {

/// The element type of a code without its byte order ("f4"). A void of two bytes is bfloat16, as
/// JAX saves it. Empty for types that are no tensors.
[[nodiscard]] std::optional<DType> numpy_dtype(std::string_view code);

struct NumpyDescr {
  DType dtype = DType::F32;
  bool big_endian = false;
};
/// A code with its byte order; '|' only where there is none.
[[nodiscard]] std::optional<NumpyDescr> parse_numpy_descr(std::string_view descr);

/// The code with its byte order that little-endian data of this type has; empty if there is none.
[[nodiscard]] std::string numpy_descr(DType dtype);

}  // namespace saccade::checkpoint
