#pragma once
// The names that a pickle may mention and that mean something here. Everything else is an inert
// tag.

#include <cstdint>
#include <optional>
#include <string_view>

#include "saccade/base/dtype.h"

namespace saccade::checkpoint::pickle {

enum class Known : uint8_t {
  unknown,
  // Python
  ordered_dict,
  default_dict,
  counter,
  dict,
  list,
  tuple,
  set,
  bytes,
  bytearray,
  encode,
  // torch
  size,
  device,
  get_layout,
  storage,  ///< torch.FloatStorage ...
  dtype,    ///< torch.float32 ...
  rebuild_v1,
  rebuild_v2,
  rebuild_v3,
  rebuild_parameter,
  rebuild_parameter_with_state,
  rebuild_from_type,
  rebuild_sparse,
  rebuild_quantized,
  rebuild_meta,
  rebuild_other,  ///< further functions of torch._utils that make tensors
  // numpy
  np_array,
  np_dtype,
  np_reconstruct,
  np_scalar,
  np_from_buffer,
};

[[nodiscard]] Known find_known(std::string_view module, std::string_view name);

/// What a storage class holds: `dtype` is empty for quantised ones.
struct StorageClass {
  std::optional<DType> dtype;
  uint64_t element = 1;
  bool untyped = false;
};
/// Of a global whose kind is Known::storage.
[[nodiscard]] StorageClass storage_class(std::string_view name);
/// Of a global whose kind is Known::dtype; nothing for quantised and other types without a code.
[[nodiscard]] std::optional<DType> torch_dtype(std::string_view name);

}  // namespace saccade::checkpoint::pickle
