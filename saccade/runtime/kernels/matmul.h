#pragma once
// The matrix kernel: C[m][n] = finish(rows of A . panels of B). Linear layers, convolutions, patch
// embeddings and mixed tokens differ in where rows of A come from (patches.h) and in what happens
// to a tile before it is stored.
//
// Each element is one chain of multiply-adds in the order of K, in blocks that depend on K alone:
// its bits do not depend on the number of threads, on the tile it falls into or on other rows.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "saccade/ops/panels.h"
#include "saccade/runtime/kernels/packing.h"
#include "saccade/runtime/kernels/patches.h"
#include "saccade/runtime/kernels/pool.h"
#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime::kernels {

/// How rows become bytes for int8 panels. Dynamic: each row gets its own scale, max|x| / 127, and
/// the zero point 128. Static (scale > 0): q = round(x / scale) + zero, clamped to [0, 255].
struct Quantisation {
  float scale = 0.0F;
  int32_t zero = 128;  ///< static only
};

/// The rows of A, fp32 in memory; they are converted to bf16 or bytes on the way where the panels
/// ask for it.
struct Left {
  const float* data = nullptr;
  int64_t row_stride = 0;
  const Patches* patches = nullptr;  ///< if set, row_stride is not used
  Quantisation quantisation;         ///< used with int8 panels
  /// Not null: the rows are packed already, as row_packing() says; nothing else is used.
  const std::byte* packed = nullptr;
};

/// B in panels (ops/panels.h), aligned to 64 bytes; weights from a plan or from pack_right().
struct Right {
  DType type = DType::F32;
  const std::byte* panels = nullptr;
  const float* column_scale = nullptr;  ///< [n], int8 only
  const int32_t* column_sum = nullptr;  ///< [n], int8 only
};

/// y = activation(sum + bias) + residual
struct Epilogue {
  const float* bias = nullptr;      ///< [n]
  const float* row_bias = nullptr;  ///< [m], instead of bias; not for int8
  Activation activation = Activation::none;
  const float* residual = nullptr;  ///< laid out as the output; may be the output
};

/// Where rows of C go.
struct Output {
  float* data = nullptr;
  int64_t row_stride = 0;
  /// Not null: `data` receives packed rows, see can_pack_result(); no stride is used.
  const Packing* packing = nullptr;
};

/// A layer: all images are rows of A. Or `batch` products of one A with a B for each image.
struct Matmul {
  int64_t m = 0, n = 0, k = 0;
  Left left;
  Right right;
  Epilogue epilogue;
  Output out;
  int64_t batch = 1;
  int64_t right_batch_stride = 0;  ///< bytes
  int64_t out_batch_stride = 0;    ///< elements
};

/// How matmul() packs the rows of A on this processor. Nothing where they are better left to it: it
/// reads them where they lie, or finds a scale for each of them (int8).
[[nodiscard]] std::optional<Packing> row_packing(const Matmul& op);
/// How B may be made of rows over K (fp32, in columns that fill panels).
[[nodiscard]] std::optional<Packing> panel_packing(const Matmul& op);
/// Whether C can be stored so: it has these rows, cut in the same way, in columns that fill pieces.
[[nodiscard]] bool can_pack_result(const Matmul& op, const Packing& packing);

/// Bytes of scratch that matmul() needs with so many threads; depends on shapes only.
[[nodiscard]] int64_t matmul_scratch(const Matmul& op, int threads);

/// Runs it. `scratch` is aligned to 64 bytes. m, n, k, batch >= 1. C must not overlap A or B.
void matmul(const Matmul& op, Pool& pool, std::span<std::byte> scratch);

/// Activations that become panels at run time: the mixed tokens of each image.
struct RightSource {
  const float* data = nullptr;  ///< [batch][k][n]
  int64_t batch = 1, k = 0, n = 0;
};

/// Writes batch * panel_bytes(type, n, k) bytes, aligned to 64. f32 or bf16.
void pack_right(const RightSource& source, DType type, std::span<std::byte> panels, Pool& pool);

}  // namespace saccade::runtime::kernels
