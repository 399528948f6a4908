#include "saccade/runtime/kernel.h"

#include <algorithm>
#include <optional>

#include "saccade/runtime/kernel_move.h"
#include "saccade/runtime/kernels/attention.h"
#include "saccade/runtime/kernels/matmul.h"
#include "saccade/runtime/kernels/row_ops.h"

namespace saccade::runtime {
namespace {

using kernels::Packing, ops::Op;
using Integers = std::vector<int64_t>;

void run_reference(const Bound& b, Pool&, std::span<std::byte>) {
  b.op->reference(ops::Call(*b.op, b.operands, b.node->attributes, b.result));
}
constexpr Kernel kReference = {"reference", nullptr, run_reference};

bool same_shape(const ops::Extents& a, const ops::Extents& b) {
  return a.rank == b.rank && std::ranges::equal(a.span(), b.span());
}

bool row_major(const ops::Operand& operand) {
  return operand.layout == ops::Layout::row_major && operand.dtype == DType::F32;
}

// Linear layers on panels.

kernels::Activation fast_activation(ops::Activation activation) {
  switch (activation) {
    case ops::Activation::none: return kernels::Activation::none;
    case ops::Activation::relu: return kernels::Activation::relu;
    case ops::Activation::gelu: return kernels::Activation::gelu;
    case ops::Activation::gelu_tanh: return kernels::Activation::gelu_tanh;
    case ops::Activation::silu: return kernels::Activation::silu;
    case ops::Activation::sigmoid: return kernels::Activation::sigmoid;
    case ops::Activation::tanh: return kernels::Activation::tanh;
  }
  return kernels::Activation::none;
}

ops::Activation activation_of(const Bound& b) {
  return static_cast<ops::Activation>(attribute<int64_t>(b, "activation"));
}

ops::Precision precision_of(const Bound& b) {
  return static_cast<ops::Precision>(attribute<int64_t>(b, "precision"));
}

kernels::Matmul matmul_of(const Bound& b) {
  const auto& weight = b.operand(1);
  kernels::Matmul op;
  op.n = weight.shape[0];
  op.k = weight.shape[1];
  op.m = b.result.shape.count() / op.n;
  op.left.data = b.floats(0);
  op.left.row_stride = op.k;
  op.right.type = weight.dtype;
  op.right.panels = weight.data;
  op.right.column_scale = b.floats(4);
  op.right.column_sum = b.has(5) ? b.operand(5).as<int32_t>() : nullptr;
  op.left.quantisation = {static_cast<float>(attribute<double>(b, "input_scale")),
                          static_cast<int32_t>(attribute<int64_t>(b, "input_zero"))};
  op.epilogue.bias = b.floats(2);
  op.epilogue.residual = b.floats(3);
  op.epilogue.activation = fast_activation(activation_of(b));
  op.out.data = b.result.as<float>();
  op.out.row_stride = op.n;
  if (b.takes_packed) op.left.packed = b.operand(0).data;
  if (b.packing) op.out.packing = &*b.packing;
  return op;
}

constexpr Kernel kLinear = {
    "matmul",
    [](const Bound& b, int threads) { return kernels::matmul_scratch(matmul_of(b), threads); },
    [](const Bound& b, Pool& pool, std::span<std::byte> scratch) {
      kernels::matmul(matmul_of(b), pool, scratch);
    },
    [](const Bound& b) { return kernels::row_packing(matmul_of(b)); },
    [](const Bound& b, const Packing& packing) {
      return kernels::can_pack_result(matmul_of(b), packing);
    }};

// A linear layer over rows: the weight is the left side, the picture the right one.

kernels::RightSource mixed_rows(const Bound& b) {
  const auto& x = b.operand(0).shape;
  return {b.floats(0), x[0], x[1], x[2]};
}

DType mixed_type(const Bound& b) {
  return precision_of(b) == ops::Precision::bf16 ? DType::BF16 : DType::F32;
}

int64_t mixed_bytes(const Bound& b) {
  const auto& x = b.operand(0).shape;
  return x[0] * ops::panel_bytes(mixed_type(b), x[2], x[1]);
}

kernels::Matmul mix_of(const Bound& b, const std::byte* panels) {
  const auto &x = b.operand(0).shape, &y = b.result.shape;
  kernels::Matmul op;
  op.m = y[1];
  op.n = y[2];
  op.k = x[1];
  op.left.data = b.floats(1);
  op.left.row_stride = op.k;
  op.right.type = mixed_type(b);
  op.right.panels = b.takes_packed ? b.operand(0).data : panels;
  op.epilogue.row_bias = b.floats(2);
  op.epilogue.residual = b.floats(3);
  op.epilogue.activation = fast_activation(activation_of(b));
  op.out.data = b.result.as<float>();
  op.out.row_stride = op.n;
  op.batch = y[0];
  op.right_batch_stride = mixed_bytes(b) / op.batch;
  op.out_batch_stride = op.m * op.n;
  if (b.packing) op.out.packing = &*b.packing;
  return op;
}

/// Bytes of panels that the kernel makes itself.
int64_t own_panels(const Bound& b) { return b.takes_packed ? 0 : mixed_bytes(b); }

void run_mix(const Bound& b, Pool& pool, std::span<std::byte> scratch) {
  const auto panels = scratch.first(static_cast<size_t>(own_panels(b)));
  const auto rest = scratch.subspan(panels.size());
  if (!b.takes_packed) kernels::pack_right(mixed_rows(b), mixed_type(b), panels, pool);
  kernels::matmul(mix_of(b, panels.data()), pool, rest);
}

constexpr Kernel kMix = {
    "matmul",
    [](const Bound& b, int threads) {
      return own_panels(b) + kernels::matmul_scratch(mix_of(b, nullptr), threads);
    },
    run_mix, [](const Bound& b) { return kernels::panel_packing(mix_of(b, nullptr)); },
    [](const Bound& b, const Packing& packing) {
      return kernels::can_pack_result(mix_of(b, nullptr), packing);
    }};

/// The kernel takes its arithmetic from the panels' type.
bool fits_linear(const Bound& b) {
  const auto type = b.operand(1).dtype;
  const auto arithmetic = type == DType::BF16 ? ops::Precision::bf16
                          : type == DType::I8 ? ops::Precision::int8
                                              : ops::Precision::fp32;
  return b.operand(1).layout == ops::Layout::panels && precision_of(b) == arithmetic &&
         (!b.has(3) || same_shape(b.operand(3).shape, b.result.shape));
}

// Attention over heads and windows in token rows.

kernels::HeadRows head_rows(const Bound& b, size_t operand, std::string_view offset, int64_t dim) {
  const auto& shape = b.operand(operand).shape;
  return {b.floats(operand) + attribute<int64_t>(b, offset), shape[1] * shape[2], dim, shape[2]};
}

kernels::Attention attention_of(const Bound& b) {
  const auto& out = b.result.shape;
  kernels::Attention op;
  op.images = out[0];
  op.heads = attribute<int64_t>(b, "heads");
  op.head_dim = op.value_dim = attribute<int64_t>(b, "head_dim");
  op.queries = out[1];
  op.keys = b.operand(1).shape[1];
  if (b.has(5)) {
    op.groups = b.operand(5).shape[0];
    op.queries = op.keys = b.operand(5).shape[1];
    op.query_rows = op.key_rows = b.operand(5).as<int64_t>();
  }
  op.q = head_rows(b, 0, "q_offset", op.head_dim);
  op.k = head_rows(b, 1, "k_offset", op.head_dim);
  op.v = head_rows(b, 2, "v_offset", op.head_dim);
  const int64_t area = op.queries * op.keys;
  if (b.has(3)) op.bias = {b.floats(3), 0, 0, area, op.keys};
  if (b.has(4)) op.mask = {b.floats(4), 0, area, 0, op.keys};
  op.scale = static_cast<float>(attribute<double>(b, "scale"));
  op.head_scale = b.floats(6);
  op.cosine = attribute<int64_t>(b, "cosine") != 0;
  op.bf16 = precision_of(b) == ops::Precision::bf16;
  op.out = b.result.as<float>();
  op.out_image_stride = out[1] * out[2];
  op.out_head_stride = op.value_dim;
  op.out_row_stride = out[2];
  return op;
}

constexpr Kernel kAttention = {"attention",
                               [](const Bound& b, int threads) {
                                 return kernels::attention_scratch(attention_of(b), threads);
                               },
                               [](const Bound& b, Pool& pool, std::span<std::byte> scratch) {
                                 kernels::attention(attention_of(b), pool, scratch);
                               }};

// What goes over the numbers once.

void run_layer_norm(const Bound& b, Pool& pool, std::span<std::byte> scratch) {
  const int64_t n = b.result.shape.last();
  const kernels::Norm norm{static_cast<float>(attribute<double>(b, "eps")), b.floats(1),
                           b.floats(2)};
  if (b.packing)
    kernels::layer_norm_rows(b.floats(0), norm, *b.packing, b.result.data, pool, scratch);
  else
    kernels::layer_norm_rows(b.floats(0), b.result.shape.count() / n, n, norm, b.floats(3),
                             b.result.as<float>(), pool);
}

constexpr Kernel kLayerNorm = {
    "layer_norm",
    [](const Bound& b, int threads) {
      return b.packing ? kernels::layer_norm_scratch(*b.packing, threads) : 0;
    },
    run_layer_norm, nullptr,
    [](const Bound& b, const Packing& packing) {
      const int64_t n = b.result.shape.last();
      return !b.has(3) && packing.k == n && packing.rows == b.result.shape.count() / n;
    }};

constexpr Kernel kSoftmax = {
    "softmax", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
      const int64_t n = b.result.shape.last();
      kernels::softmax_rows(b.floats(0), b.result.shape.count() / n, n, b.result.as<float>(), pool);
    }};

template <kernels::Activation activation>
void run_activation(const Bound& b, Pool& pool, std::span<std::byte>) {
  kernels::activate(activation, b.floats(0), b.result.shape.count(), b.result.as<float>(), pool);
}
constexpr Kernel kRelu = {"activation", nullptr, run_activation<kernels::Activation::relu>};
constexpr Kernel kSilu = {"activation", nullptr, run_activation<kernels::Activation::silu>};
constexpr Kernel kGelu = {"activation", nullptr, run_activation<kernels::Activation::gelu>};
constexpr Kernel kSigmoid = {"activation", nullptr, run_activation<kernels::Activation::sigmoid>};
constexpr Kernel kTanh = {"activation", nullptr, run_activation<kernels::Activation::tanh>};
constexpr Kernel kGeluTanh = {"activation", nullptr,
                              run_activation<kernels::Activation::gelu_tanh>};

/// True if the smaller shape is the end of the larger one, with nothing but ones in front: one row
/// for every row.
bool is_row(const ops::Extents& row, const ops::Extents& shape) {
  int axis = 0;
  while (axis < row.rank && row[axis] == 1) ++axis;
  const int kept = row.rank - axis;
  if (kept > shape.rank) return false;
  for (int i = 1; i <= kept; ++i)
    if (row[row.rank - i] != shape[shape.rank - i]) return false;
  return true;
}

/// The operand that has the result's shape goes first; the other one is a row of it, or the same.
std::optional<std::pair<size_t, size_t>> binary_order(const Bound& b) {
  if (!row_major(b.operand(0)) || !row_major(b.operand(1))) return std::nullopt;
  for (const size_t first : {size_t{0}, size_t{1}})
    if (same_shape(b.operand(first).shape, b.result.shape) &&
        is_row(b.operand(1 - first).shape, b.result.shape))
      return std::pair(first, 1 - first);
  return std::nullopt;
}

using WholeFunction = void (*)(const float*, const float*, int64_t, float*, Pool&);
using RowFunction = void (*)(const float*, const float*, int64_t, int64_t, float*, Pool&);

template <WholeFunction whole, RowFunction rows>
void run_binary(const Bound& b, Pool& pool, std::span<std::byte>) {
  const auto order = *binary_order(b);
  const int64_t count = b.result.shape.count(), n = b.operand(order.second).shape.count();
  const float *x = b.floats(order.first), *y = b.floats(order.second);
  if (n == count)
    whole(x, y, count, b.result.as<float>(), pool);
  else
    rows(x, y, count / n, n, b.result.as<float>(), pool);
}
constexpr Kernel kAdd = {"add", nullptr, run_binary<kernels::add, kernels::add_row>};
constexpr Kernel kMultiply = {"multiply", nullptr,
                              run_binary<kernels::multiply, kernels::multiply_row>};

/// The mean over the middle of [images, rows, n].
constexpr Kernel kMean = {"mean", nullptr, [](const Bound& b, Pool& pool, std::span<std::byte>) {
                            const auto& shape = b.operand(0).shape;
                            kernels::mean_rows(b.floats(0), shape[0], shape[1] * shape[2], shape[1],
                                               shape[2], shape[2], b.result.as<float>(), pool);
                          }};

}  // namespace

const Kernel& choose_kernel(const Bound& b) {
  const int rank = b.result.shape.rank;
  switch (b.node->op) {
    case Op::linear: return fits_linear(b) ? kLinear : kReference;
    case Op::mix: return kMix;
    case Op::attention: return kAttention;
    case Op::layer_norm: return kLayerNorm;
    case Op::softmax: return attribute<int64_t>(b, "axis") == rank - 1 ? kSoftmax : kReference;
    case Op::relu: return kRelu;
    case Op::silu: return kSilu;
    case Op::sigmoid: return kSigmoid;
    case Op::tanh: return kTanh;
    case Op::gelu: return attribute<int64_t>(b, "approximate") == 0 ? kGelu : kGeluTanh;
    case Op::add: return binary_order(b) ? kAdd : kReference;
    case Op::mul: return binary_order(b) ? kMultiply : kReference;
    case Op::mean:
      return b.operand(0).shape.rank == 3 && attribute<Integers>(b, "axes") == Integers{1}
                 ? kMean
                 : kReference;
    default: break;
  }
  const Kernel* move = choose_move_kernel(b);
  return move != nullptr ? *move : kReference;
}

}  // namespace saccade::runtime
