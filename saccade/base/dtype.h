#pragma once
// Element types, named by their safetensors codes.

#include <cstdint>
#include <optional>
#include <string_view>

namespace saccade {

enum class DType : uint8_t {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
  C128,
};

/// The safetensors code, for instance "BF16".
[[nodiscard]] std::string_view name(DType dtype);
/// The type with that code, if there is one.
[[nodiscard]] std::optional<DType> parse_dtype(std::string_view code);
/// Bits of one element (F4 has 4, F6_* have 6).
[[nodiscard]] int bits(DType dtype);
/// Bytes of one element; the type must not be narrower than a byte.
[[nodiscard]] int64_t bytes(DType dtype);

[[nodiscard]] float bf16_to_float(uint16_t bits);
[[nodiscard]] float f16_to_float(uint16_t bits);
/// Round to nearest even; NaN stays NaN.
[[nodiscard]] uint16_t float_to_bf16(float value);
[[nodiscard]] uint16_t float_to_f16(float value);

}  // namespace saccade
