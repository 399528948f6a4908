#include "saccade/checkpoint/row_major.h"

#include <algorithm>
#include <cstring>

namespace saccade::checkpoint {
namespace {

constexpr size_t kPiece = size_t{64} << 10;

/// Collects small runs into pieces.
class Pieces {
 public:
  explicit Pieces(const ByteSink& sink) : sink_(sink), buffer_(kPiece) {}

  void add(const std::byte* data, size_t size) {
    if (used_ + size > buffer_.size()) flush();
    if (size > buffer_.size()) return sink_({data, size});
    std::memcpy(buffer_.data() + used_, data, size);
    used_ += size;
  }
  void flush() { sink_({buffer_.data(), std::exchange(used_, 0)}); }

 private:
  const ByteSink& sink_;
  std::vector<std::byte> buffer_;
  size_t used_ = 0;
};

}  // namespace

void stream_row_major(const TensorView& view, const ByteSink& sink) {
  const int64_t count = view.numel();
  if (count == 0) return;
  if (view.is_contiguous())
    return sink(view.bytes.first(static_cast<size_t>((count * bits(view.dtype) + 7) / 8)));
  const int64_t element = bytes(view.dtype);
  const size_t rank = view.shape.size();
  const bool runs = view.strides[rank - 1] == 1;  // not contiguous, so the rank is at least 1
  const int64_t run = runs ? view.shape[rank - 1] : 1;
  Pieces pieces(sink);
  Shape index(rank, 0);
  int64_t at = 0;  // of the current element, in elements
  for (int64_t done = 0; done < count; done += run) {
    pieces.add(view.bytes.data() + at * element, static_cast<size_t>(run * element));
    for (size_t axis = rank - (runs ? 1 : 0); axis-- > 0;) {
      at += view.strides[axis];
      if (++index[axis] < view.shape[axis]) break;
      at -= view.strides[axis] * view.shape[axis];
      index[axis] = 0;
    }
  }
  pieces.flush();
}

}  // namespace saccade::checkpoint
