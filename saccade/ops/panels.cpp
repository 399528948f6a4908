#include "saccade/ops/panels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "saccade/base/check.h"

namespace saccade::ops {
namespace {

/// Calls put(place, n, k) for every element of the matrix.
template <class Put>
void for_each_place(DType type, int64_t n, int64_t k, const Put& put) {
  for (int64_t column = 0; column < n; ++column)
    for (int64_t row = 0; row < k; ++row) put(panel_index(type, k, column, row), column, row);
}

void check_size(DType type, int64_t n, int64_t k, size_t bytes) {
  SACCADE_CHECK(static_cast<int64_t>(bytes) == panel_bytes(type, n, k),
                "panels of {}x{}: {} bytes given", n, k, bytes);
}

template <class T>
void store(std::span<std::byte> out, int64_t place, T value) {
  std::memcpy(out.data() + place * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

template <class T>
T load(std::span<const std::byte> panels, int64_t place) {
  T value;
  std::memcpy(&value, panels.data() + place * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

void pack_panels(DType type, const MatrixView& matrix, std::span<std::byte> out) {
  SACCADE_CHECK(type != DType::I8, "int8 panels need scales");
  check_size(type, matrix.n, matrix.k, out.size());
  std::fill(out.begin(), out.end(), std::byte{});
  for_each_place(type, matrix.n, matrix.k, [&](int64_t at, int64_t n, int64_t k) {
    const float value = matrix.data[n * matrix.n_stride + k * matrix.k_stride];
    if (type == DType::F32)
      store(out, at, value);
    else
      store(out, at, float_to_bf16(value));
  });
}

Int8Columns pack_int8_panels(const MatrixView& matrix, std::span<std::byte> out) {
  check_size(DType::I8, matrix.n, matrix.k, out.size());
  std::fill(out.begin(), out.end(), std::byte{});
  Int8Columns columns;
  for (int64_t n = 0; n < matrix.n; ++n) {
    float largest = 0;
    for (int64_t k = 0; k < matrix.k; ++k)
      largest = std::max(largest, std::abs(matrix.data[n * matrix.n_stride + k * matrix.k_stride]));
    columns.scale.push_back(largest > 0 ? largest / 127 : 1);
  }
  columns.sum.resize(matrix.n);
  for_each_place(DType::I8, matrix.n, matrix.k, [&](int64_t at, int64_t n, int64_t k) {
    const float value = matrix.data[n * matrix.n_stride + k * matrix.k_stride];
    const float scaled = std::nearbyint(value / columns.scale[n]);
    const auto quantised = static_cast<int8_t>(std::clamp(scaled, -127.0F, 127.0F));
    store(out, at, quantised);
    columns.sum[n] += quantised;
  });
  return columns;
}

std::vector<float> unpack_panels(DType type, std::span<const std::byte> panels, int64_t n,
                                 int64_t k) {
  check_size(type, n, k, panels.size());
  std::vector<float> matrix(n * k);
  for_each_place(type, n, k, [&](int64_t at, int64_t column, int64_t row) {
    float& value = matrix[column * k + row];
    if (type == DType::F32)
      value = load<float>(panels, at);
    else if (type == DType::BF16)
      value = bf16_to_float(load<uint16_t>(panels, at));
    else
      value = load<int8_t>(panels, at);
  });
  return matrix;
}

}  // namespace saccade::ops
