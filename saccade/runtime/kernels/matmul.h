#pragma once
// The matrix kernel: C[m][n] = finish(rows of A . panels of B). Linear layers, convolutions, patch
// embeddings and products of activations differ in how rows of A are found (layout.h) and in what
// happens to a tile before it is stored.
//
// Each element is one chain of multiply-adds in the order of K, in blocks that depend on K alone:
// its bits do not depend on the number of threads, on the tile it falls into or on other rows.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "saccade/ops/panels.h"
#include "saccade/runtime/kernels/layout.h"
#include "saccade/runtime/kernels/packing.h"
#include "saccade/runtime/kernels/pool.h"
#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime::kernels {

/// The rows of A, fp32 in memory; they are converted to bf16 or bytes on the way where the panels
/// ask for it.
struct Left {
  const float* data = nullptr;
  RowMap rows;
  const Patches* patches = nullptr;  ///< if set, rows is not used
  const Norm* norm = nullptr;        ///< over the k elements of a row
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

/// y = activation(sum + bias + row_bias) * layer_scale * scale + residual
struct Epilogue {
  const float* bias = nullptr;      ///< [n]
  const float* row_bias = nullptr;  ///< [m]
  Activation activation = Activation::none;
  const float* layer_scale = nullptr;  ///< [n]
  float scale = 1.0F;
  const float* residual = nullptr;  ///< laid out as the output; may be the output
};

/// Where rows of C go. With column_block (head split) column c goes to
/// (c / column_block) * column_block_stride + c % column_block; no residual then.
struct Output {
  float* data = nullptr;
  RowMap rows;
  int64_t column_block = 0;
  int64_t column_block_stride = 0;
  /// Not null: `data` receives packed rows, see can_pack_result(); no stride is used.
  const Packing* packing = nullptr;
};

/// `batch` products of one shape; batch strides count elements of A and C, bytes of B. All of B at
/// stride 0 is the usual layer: then put the images into m.
struct Matmul {
  int64_t m = 0, n = 0, k = 0;
  Left left;
  Right right;
  Epilogue epilogue;
  Output out;
  int64_t batch = 1;
  int64_t left_batch_stride = 0;
  int64_t right_batch_stride = 0;
  int64_t out_batch_stride = 0;
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

/// Panels made of activations at run time: K^T, V, or the mixed tokens of a plan.
struct RightSource {
  const float* data = nullptr;
  int64_t n = 0, k = 0;
  /// Rows over k, their n elements side by side; or, with `transposed`, rows over n, their k
  /// elements side by side.
  RowMap rows;
  bool transposed = false;
  const Norm* norm = nullptr;  ///< of each row; not with `transposed`
  int64_t batch = 1;
  int64_t batch_stride = 0;  ///< elements
};

/// Bytes of scratch for pack_right().
[[nodiscard]] int64_t pack_right_scratch(const RightSource& source, int threads);
/// Writes batch * panel_bytes(type, n, k) bytes, aligned to 64. f32 or bf16.
void pack_right(const RightSource& source, DType type, std::span<std::byte> panels, Pool& pool,
                std::span<std::byte> scratch);

}  // namespace saccade::runtime::kernels
