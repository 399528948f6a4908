#pragma once
// softmax(scale q . k^T + bias + mask) . v for many heads. Only the scores of one row tile exist
// at a time. Each row's bits depend on its own operands alone.

#include <cstddef>
#include <cstdint>
#include <span>

#include "saccade/runtime/kernels/pool.h"

namespace saccade::runtime::kernels {

/// Rows of one operand: row r of head h of image i starts at
///   data + i * image_stride + h * head_stride + r * row_stride   (elements),
/// so that q, k and v may lie side by side in the output of one linear layer.
struct HeadRows {
  const float* data = nullptr;
  int64_t image_stride = 0;
  int64_t head_stride = 0;
  int64_t row_stride = 0;
};

/// Something added to the scores: element (query, key) of group g and head h of image i at
///   data + i * image_stride + g * group_stride + h * head_stride + query * row_stride + key.
/// A padding mask has row_stride 0; no data: nothing is added.
struct Addend {
  const float* data = nullptr;
  int64_t image_stride = 0;
  int64_t group_stride = 0;
  int64_t head_stride = 0;
  int64_t row_stride = 0;
};

/// `groups` are windows: group g attends among the rows that its line of the tables names, or
/// among rows g * queries + ... without a table. Results go to the rows of the queries.
struct Attention {
  int64_t images = 1, groups = 1, heads = 1;
  int64_t queries = 0, keys = 0;        ///< of one group
  int64_t head_dim = 0, value_dim = 0;  ///< of q and k, of v and the result
  HeadRows q, k, v;
  const int64_t* query_rows = nullptr;  ///< [groups][queries]
  const int64_t* key_rows = nullptr;    ///< [groups][keys]
  Addend bias, mask;
  float scale = 1.0F;
  const float* head_scale = nullptr;  ///< [heads], instead of scale
  bool cosine = false;                ///< rows of q and k are divided by max(|row|, 1e-12)
  float* out = nullptr;
  int64_t out_image_stride = 0, out_head_stride = 0, out_row_stride = 0;
  /// Products from bf16 operands with fp32 sums, where the processor has them; otherwise fp32.
  bool bf16 = false;
};

/// Bytes of scratch that attention() needs with so many threads.
[[nodiscard]] int64_t attention_scratch(const Attention& op, int threads);

/// Runs it; all sizes >= 1, `scratch` aligned to 64 bytes. The result must not overlap the
/// operands.
void attention(const Attention& op, Pool& pool, std::span<std::byte> scratch);

}  // namespace saccade::runtime::kernels
