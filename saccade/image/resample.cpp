#include "saccade/image/resample.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "saccade/base/check.h"
#include "saccade/base/thread_pool.h"

namespace saccade::image {
namespace {

constexpr int64_t kBandRows = 16;     // rows of one piece of the horizontal pass
constexpr int64_t kResultRows = 4;    // rows of one piece of the vertical pass
constexpr int64_t kStripe = 1 << 12;  // columns in bytes that the vertical pass keeps in cache

}  // namespace

Resampler::Resampler(int64_t in_height, int64_t in_width, int64_t channels,
                     const ResizeRequest& request)
    : in_height_(in_height),
      in_width_(in_width),
      channels_(channels),
      window_(request.window.value_or(Window{0, 0, request.height, request.width})),
      horizontal_first_(!vertical_first(in_height, in_width, request)),
      end_row_(in_height) {
  const Box box =
      request.box.value_or(Box{0, 0, static_cast<float>(in_width), static_cast<float>(in_height)});
  const auto moves = [](int64_t out, int64_t in, float from, float to) {
    return out != in || from != 0 || to != static_cast<float>(out);
  };
  const bool whole_width = window_.left == 0 && window_.width == request.width;
  const bool whole_height = window_.top == 0 && window_.height == request.height;
  if (moves(request.width, in_width, box.left, box.right) || !whole_width)
    horizontal_ = pack_horizontal(filter_weights(request.filter, in_width, box.left, box.right,
                                                 request.width, window_.left, window_.width),
                                  channels);
  if (moves(request.height, in_height, box.top, box.bottom) || !whole_height) {
    vertical_ = filter_weights(request.filter, in_height, box.top, box.bottom, request.height,
                               window_.top, window_.height);
    vertical_fixed_ = vertical_->fixed_point();
    first_row_ = vertical_->taps.front().first;
    end_row_ = vertical_->taps.back().first + vertical_->taps.back().count;
  }
  if (horizontal_first_) middle_.resize((end_row_ - first_row_) * window_.width * channels_);
}

void Resampler::horizontal(const uint8_t* rows, int64_t count, int64_t stride, int64_t readable,
                           uint8_t* out) const {
  const int64_t row_bytes = in_width_ * channels_;
  const int64_t out_bytes = window_.width * channels_;
  if (!horizontal_) {
    for (int64_t y = 0; y < count; ++y)
      std::memcpy(out + y * out_bytes, rows + y * stride, row_bytes);
    return;
  }
  parallel_for(count, kBandRows, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> padded;  // the rows without slack behind them
    for (int64_t y = begin; y < end; y += kRowsAtOnce) {
      std::array<const uint8_t*, kRowsAtOnce> from;
      std::array<uint8_t*, kRowsAtOnce> to;
      padded.clear();
      padded.reserve(kRowsAtOnce * (row_bytes + kRowSlack));
      for (int64_t r = 0; r < kRowsAtOnce; ++r) {
        const int64_t row = std::min(y + r, end - 1);
        from[r] = rows + row * stride;
        to[r] = out + row * out_bytes;
        if (row * stride + row_bytes + kRowSlack <= readable) continue;
        const auto at = static_cast<int64_t>(padded.size());
        padded.insert(padded.end(), from[r], from[r] + row_bytes);
        padded.resize(padded.size() + kRowSlack);
        from[r] = padded.data() + at;
      }
      filter_horizontally(*horizontal_, from.data(), to.data());
    }
  });
}

Image Resampler::vertical(const uint8_t* rows, int64_t first_row, int64_t row_bytes) const {
  SACCADE_CHECK(vertical_.has_value(), "no vertical pass");
  Image result{row_bytes / channels_, window_.height, channels_, {}};
  result.pixels.resize(window_.height * row_bytes);
  std::vector<std::vector<WeightPair>> pairs;
  pairs.reserve(vertical_->taps.size());
  for (const auto& taps : vertical_->taps)
    pairs.push_back(pack_vertical(std::span(vertical_fixed_).subspan(taps.weight, taps.count)));
  parallel_for(window_.height, kResultRows, [&](int64_t begin, int64_t end) {
    for (int64_t x = 0; x < row_bytes; x += kStripe) {
      const int64_t bytes = std::min(kStripe, row_bytes - x);
      for (int64_t y = begin; y < end; ++y) {
        const auto& taps = vertical_->taps[y];
        filter_vertically(pairs[y], rows + (taps.first - first_row) * row_bytes + x, row_bytes,
                          taps.count, bytes, result.row(y) + x);
      }
    }
  });
  return result;
}

void Resampler::push(const uint8_t* rows, int64_t first, int64_t count, int64_t readable) {
  SACCADE_CHECK(horizontal_first_, "this resize needs the whole picture");
  const int64_t stride = in_width_ * channels_;
  const int64_t begin = std::max(first, first_row_);
  const int64_t end = std::min(first + count, end_row_);
  if (begin >= end) return;
  const int64_t skipped = (begin - first) * stride;
  horizontal(rows + skipped, end - begin, stride, readable - skipped,
             middle_.data() + (begin - first_row_) * window_.width * channels_);
}

Image Resampler::finish() {
  if (vertical_) return vertical(middle_.data(), first_row_, window_.width * channels_);
  return {window_.width, window_.height, channels_, std::move(middle_)};
}

Image Resampler::run(const Image& picture) {
  const auto readable = static_cast<int64_t>(picture.pixels.size());
  if (horizontal_first_) {
    push(picture.pixels.data(), 0, in_height_, readable);
    return finish();
  }
  Image middle;
  const Image* from = &picture;
  if (vertical_) {
    middle = vertical(picture.pixels.data(), 0, picture.row_bytes());
    from = &middle;
  }
  Image result{window_.width, window_.height, channels_, {}};
  result.pixels.resize(window_.height * window_.width * channels_);
  horizontal(from->pixels.data(), window_.height, from->row_bytes(),
             static_cast<int64_t>(from->pixels.size()), result.pixels.data());
  return result;
}

}  // namespace saccade::image
