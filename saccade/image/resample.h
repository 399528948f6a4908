#pragma once
// The two passes of a resize, for whole pictures or for rows that arrive one band after another.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "saccade/image/filter/kernels.h"
#include "saccade/image/resize.h"

namespace saccade::image {

/// One resize of 8-bit samples without alpha and not to nearest: sizes, weights and the
/// intermediate picture. The intermediate picture has 8 bits, as in Pillow.
class Resampler {
 public:
  Resampler(int64_t in_height, int64_t in_width, int64_t channels, const ResizeRequest& request);

  /// True if rows may be pushed as they arrive (horizontal pass first).
  [[nodiscard]] bool takes_bands() const { return horizontal_first_; }
  /// Rows [first, first + count), in any order of bands, each band once. `readable` bytes may be
  /// read from `rows` on; the last row is copied if that leaves no slack behind it.
  void push(const uint8_t* rows, int64_t first, int64_t count, int64_t readable);
  /// After all rows: the result.
  [[nodiscard]] Image finish();
  /// Both passes over a whole picture, in either order.
  [[nodiscard]] Image run(const Image& picture);

 private:
  [[nodiscard]] Image vertical(const uint8_t* rows, int64_t first_row, int64_t row_bytes) const;
  void horizontal(const uint8_t* rows, int64_t count, int64_t stride, int64_t readable,
                  uint8_t* out) const;

  int64_t in_height_, in_width_, channels_;
  Window window_;
  bool horizontal_first_ = true;
  std::optional<HorizontalWeights> horizontal_;  ///< empty: this pass is the identity
  std::optional<FilterWeights> vertical_;        ///< empty: this pass is the identity
  std::vector<int32_t> vertical_fixed_;
  int64_t first_row_ = 0;  ///< of the source that the vertical pass needs
  int64_t end_row_ = 0;
  std::vector<uint8_t> middle_;  ///< rows [first_row_, end_row_) after the horizontal pass
};

}  // namespace saccade::image
