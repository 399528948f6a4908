#include "saccade/runtime/kernel_move.h"

#include <algorithm>

#include "saccade/runtime/kernels/move.h"

namespace saccade::runtime {
namespace {

using kernels::Box, ops::Extents, ops::Op;
using Integers = std::vector<int64_t>;

/// The result read from operand 0 by strides of its own.
void read(const Bound& b, const Extents& from, int64_t base, Pool& pool) {
  const auto& shape = b.result.shape;
  kernels::move_box({shape, from, strides_of(shape)}, b.floats(0) + base, b.result.as<float>(),
                    pool);
}

constexpr Kernel kPermute = {"permute", nullptr,
                             [](const Bound& b, Pool& pool, std::span<std::byte>) {
                               const Extents own = strides_of(b.operand(0).shape);
                               Extents from = own;
                               int to = 0;
                               for (const int64_t axis : attribute<Integers>(b, "axes"))
                                 from[to++] = own[static_cast<int>(axis)];
                               read(b, from, 0, pool);
                             }};

constexpr Kernel kSlice = {"slice", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
                             const auto axis = static_cast<int>(attribute<int64_t>(b, "axis"));
                             Extents from = strides_of(b.operand(0).shape);
                             const int64_t base = attribute<int64_t>(b, "start") * from[axis];
                             from[axis] *= attribute<int64_t>(b, "step");
                             read(b, from, base, pool);
                           }};

constexpr Kernel kExpand = {
    "expand", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
      read(b, ops::broadcast_strides(b.operand(0).shape, b.result.shape), 0, pool);
    }};

constexpr Kernel kConcat = {
    "concat", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
      const auto axis = static_cast<int>(attribute<int64_t>(b, "axis"));
      const Extents to = strides_of(b.result.shape);
      float* y = b.result.as<float>();
      for (size_t i = 0; i < b.operands.size(); ++i) {
        const auto& shape = b.operand(i).shape;
        kernels::move_box({shape, strides_of(shape), to}, b.floats(i), y, pool);
        y += shape[axis] * to[axis];
      }
    }};

kernels::Patches patches_of(const Bound& b) {
  const auto& x = b.operand(0).shape;
  const auto &kernel = attribute<Integers>(b, "kernel"), &stride = attribute<Integers>(b, "stride");
  const auto& padding = attribute<Integers>(b, "padding");
  const auto& dilation = attribute<Integers>(b, "dilation");
  kernels::Patches p;
  p.channels = x[1], p.height = x[2], p.width = x[3];
  p.image_stride = x[1] * x[2] * x[3], p.channel_stride = x[2] * x[3];
  p.y_stride = x[3], p.x_stride = 1;
  p.kernel_h = kernel[0], p.kernel_w = kernel[1];
  p.stride_h = stride[0], p.stride_w = stride[1];
  p.pad_h = padding[0], p.pad_w = padding[1];
  p.dilation_h = dilation[0], p.dilation_w = dilation[1];
  p.out_w = (x[3] + 2 * p.pad_w - p.dilation_w * (p.kernel_w - 1) - 1) / p.stride_w + 1;
  p.out_h = b.result.shape[1] / p.out_w;
  return p;
}

constexpr Kernel kPatches = {
    "patches", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
      kernels::copy_patches(patches_of(b), b.floats(0), b.result.shape[0] * b.result.shape[1],
                            b.result.as<float>(), pool);
    }};

constexpr Kernel kGather = {
    "gather", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
      const auto axis = static_cast<int>(attribute<int64_t>(b, "axis"));
      const auto& shape = b.operand(0).shape;
      const std::span index(b.operand(1).as<int64_t>(),
                            static_cast<size_t>(b.operand(1).shape.count()));
      kernels::gather_rows(b.floats(0), shape.product(0, axis), shape[axis],
                           shape.product(axis + 1, shape.rank), index, b.result.as<float>(), pool);
    }};

bool all_row_major(const Bound& b) {
  return b.result.dtype == DType::F32 && std::ranges::all_of(b.operands, [](const auto& operand) {
           return operand.layout == ops::Layout::row_major;
         });
}

}  // namespace

const Kernel* choose_move_kernel(const Bound& b) {
  if (!all_row_major(b)) return nullptr;
  switch (b.node->op) {
    case Op::permute: return &kPermute;
    case Op::slice: return &kSlice;
    case Op::expand: return &kExpand;
    case Op::concat: return &kConcat;
    case Op::patches: return &kPatches;
    case Op::gather: return &kGather;
    default: return nullptr;
  }
}

}  // namespace saccade::runtime
