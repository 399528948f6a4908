// Products of matrices: batched products, attention; the linear layer stands in linear.cpp. Sums
// run in double.

#include <algorithm>
#include <limits>

#include "saccade/ops/context.h"
#include "saccade/ops/linear.h"

namespace saccade::ops {
namespace {

const std::vector<std::string_view> kActivations = {"none", "relu",    "gelu", "gelu_tanh",
                                                    "silu", "sigmoid", "tanh"};
const std::vector<std::string_view> kPrecisions = {"fp32", "bf16", "int8"};
const std::vector<std::string_view> kHalfPrecisions = {"fp32", "bf16"};

/// A factor of a product as its precision sees it.
double factor(bool half, double value) {
  return half ? bf16_to_float(float_to_bf16(static_cast<float>(value))) : value;
}

/// Whether factors are rounded to bf16.
bool is_half(const Call& call) {
  return static_cast<Precision>(call.integer("precision")) == Precision::bf16;
}

/// A linear layer over the rows of each picture: x [B, K, C], weight [M, K] -> [B, M, C].
Type infer_mix(const Rule& rule) {
  rule.require_float(0);
  rule.require_rank(0, 3, 3);
  rule.require_float(1);
  const auto &x = rule.shape(0), &weight = rule.shape(1);
  rule.require(weight.size() == 2 && !has_batch(weight) && weight[1] == x[1] && !x[2].batch,
               "a weight of {} over the rows of {}", to_string(weight), to_string(x));
  const Type out{DType::F32, {x[0], weight[0], x[2]}};
  if (rule.has(2)) rule.require_type(2, {DType::F32, {weight[0]}});
  if (rule.has(3)) rule.require_type(3, out);
  return out;
}

/// result = activation(weight x + bias) + residual; with bf16 both factors are rounded first.
void mix(const Call& call) {
  const auto& shape = call.result().shape;
  const int64_t inner = call.shape(0)[1], columns = shape[2];
  const auto activation = static_cast<Activation>(call.integer("activation"));
  const bool half = is_half(call);
  walk<0>(shape, {}, [&](int64_t i, const auto&, const auto& at) {
    const float* x = call.floats(0) + at[0] * inner * columns + at[2];
    const float* weight = call.floats(1) + at[1] * inner;
    double sum = call.has(2) ? call.floats(2)[at[1]] : 0.0;
    for (int64_t k = 0; k < inner; ++k)
      sum += factor(half, weight[k]) * factor(half, x[k * columns]);
    const float y = activate(activation, static_cast<float>(sum));
    call.floats()[i] = call.has(3) ? y + call.floats(3)[i] : y;
  });
}

/// The leading dimensions of both, broadcast.
Dims leading(const Rule& rule) {
  const auto &a = rule.shape(0), &b = rule.shape(1);
  const size_t rank = std::max(a.size(), b.size()) - 2;
  Dims out(rank);
  const auto at = [&](const Dims& dims, size_t i) {
    const size_t missing = rank - (dims.size() - 2);
    return i < missing ? Dim{} : dims[i - missing];
  };
  for (size_t i = 0; i < rank; ++i) {
    const Dim x = at(a, i), y = at(b, i);
    rule.require(x == y || x == Dim{} || y == Dim{}, "{} times {}", to_string(rule.operand(0)),
                 to_string(rule.operand(1)));
    out[i] = x == Dim{} ? y : x;
  }
  return out;
}

Type infer_matmul(const Rule& rule) {
  for (size_t i = 0; i < 2; ++i) {
    rule.require_float(i);
    rule.require_rank(i, 2);
  }
  const auto &a = rule.shape(0), &b = rule.shape(1);
  Type out{DType::F32, leading(rule)};
  rule.require(a.back() == b[b.size() - 2] && !a.back().batch, "{} times {}",
               to_string(rule.operand(0)), to_string(rule.operand(1)));
  out.dims.push_back(a[a.size() - 2]);
  out.dims.push_back(b.back());
  return out;
}

Extents without_matrix(Extents shape) {
  shape.rank -= 2;
  return shape;
}

void matmul(const Call& call) {
  const auto& shape = call.result().shape;
  const int rank = shape.rank;
  const int64_t rows = shape[rank - 2], columns = shape[rank - 1], inner = call.shape(0).last();
  const Extents batches = without_matrix(shape);
  walk<2>(batches,
          {broadcast_strides(without_matrix(call.shape(0)), batches),
           broadcast_strides(without_matrix(call.shape(1)), batches)},
          [&](int64_t i, const auto& at, const auto&) {
            const float* a = call.floats(0) + at[0] * rows * inner;
            const float* b = call.floats(1) + at[1] * inner * columns;
            float* y = call.floats() + i * rows * columns;
            for (int64_t m = 0; m < rows; ++m)
              for (int64_t n = 0; n < columns; ++n) {
                double sum = 0.0;
                for (int64_t k = 0; k < inner; ++k)
                  sum += double{a[m * inner + k]} * b[k * columns + n];
                y[m * columns + n] = static_cast<float>(sum);
              }
          });
}

/// Rows of one head: row i starts at data + row(i) * stride.
struct Rows {
  const float* data;
  int64_t stride;
  const int64_t* numbers;  ///< or null: row i is number i
  [[nodiscard]] const float* operator[](int64_t i) const {
    return data + (numbers ? numbers[i] : i) * stride;
  }
};

struct Head {
  Rows q, k, v;
  int64_t queries, keys, dim, value_dim;
  double scale;
  bool cosine;        ///< rows of q and k have unit length
  const float* bias;  ///< [queries, keys], or null
  const float* mask;  ///< [queries, keys], or null
  bool half;          ///< factors of both products are rounded to bf16
};

double length(const float* row, int64_t count) {
  double squares = 0.0;
  for (int64_t i = 0; i < count; ++i) squares += double{row[i]} * row[i];
  return std::max(std::sqrt(squares), 1e-12);
}

double score(const Head& h, int64_t i, int64_t j) {
  const float *q = h.q[i], *k = h.k[j];
  const double q_length = h.cosine ? length(q, h.dim) : 1.0;
  const double k_length = h.cosine ? length(k, h.dim) : 1.0;
  double sum = 0.0;
  for (int64_t d = 0; d < h.dim; ++d)
    sum += factor(h.half, q[d] / q_length) * factor(h.half, k[d] / k_length);
  sum *= h.scale;
  if (h.bias) sum += h.bias[i * h.keys + j];
  if (h.mask) sum += h.mask[i * h.keys + j];
  return sum;
}

/// One row of softmax(scale q kᵀ + bias + mask) v, in two passes over the keys; no memory needed.
void attend(const Head& h, int64_t i, float* y) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (int64_t j = 0; j < h.keys; ++j) largest = std::max(largest, score(h, i, j));
  std::fill_n(y, h.value_dim, 0.0F);
  for (int64_t j = 0; j < h.keys; ++j) {
    const double weight = std::exp(score(h, i, j) - largest);
    sum += weight;
    const double share = factor(h.half, weight);
    for (int64_t d = 0; d < h.value_dim; ++d)
      y[d] += static_cast<float>(share * factor(h.half, h.v[j][d]));
  }
  for (int64_t d = 0; d < h.value_dim; ++d) y[d] = static_cast<float>(y[d] / sum);
}

/// q [..., M, D], k [..., Mk, D], v [..., Mk, Dv]; mask is added to the scores.
Type infer_sdpa(const Rule& rule) {
  for (size_t i = 0; i < 3; ++i) {
    rule.require_float(i);
    rule.require_rank(i, 3);
  }
  const auto &q = rule.shape(0), &k = rule.shape(1), &v = rule.shape(2);
  const size_t rank = q.size();
  bool fits = k.size() == rank && v.size() == rank;
  for (size_t d = 0; fits && d + 2 < rank; ++d) fits = q[d] == k[d] && q[d] == v[d];
  fits = fits && q.back() == k.back() && k[rank - 2] == v[rank - 2] && !q.back().batch &&
         !k[rank - 2].batch;
  rule.require(fits, "attention of {}, {}, {}", to_string(q), to_string(k), to_string(v));
  Dims scores = q, out = q;
  scores.back() = k[rank - 2];
  out.back() = v.back();
  if (rule.has(3)) rule.require_broadcast(3, scores);
  return {DType::F32, out};
}

void sdpa(const Call& call) {
  const auto &q = call.shape(0), &k = call.shape(1), &v = call.shape(2);
  const int rank = q.rank;
  const int64_t queries = q[rank - 2], keys = k[rank - 2], dim = q.last(), value_dim = v.last();
  const double given = call.real("scale");
  Extents scores = q, mask_strides;
  scores[rank - 1] = keys;
  if (call.has(3)) mask_strides = broadcast_strides(call.shape(3), scores);
  mask_strides.rank = rank;
  const Extents batches = without_matrix(q);
  walk<1>(batches, {without_matrix(mask_strides)}, [&](int64_t b, const auto& at, const auto&) {
    for (int64_t i = 0; i < queries; ++i) {
      Head head{{call.floats(0) + (b * queries + i) * dim, dim, nullptr},
                {call.floats(1) + b * keys * dim, dim, nullptr},
                {call.floats(2) + b * keys * value_dim, value_dim, nullptr},
                1,
                keys,
                dim,
                value_dim,
                given > 0.0 ? given : 1.0 / std::sqrt(static_cast<double>(dim)),
                false,
                nullptr,
                nullptr,
                false};
      const float* row =
          call.has(3) ? call.floats(3) + at[0] + i * mask_strides[rank - 2] : nullptr;
      // A mask that has one column for all keys shifts every score alike: softmax ignores it.
      if (row && mask_strides[rank - 1] == 1) head.mask = row;
      attend(head, 0, call.floats() + (b * queries + i) * value_dim);
    }
  });
}

/// Heads that lie side by side in token rows: q, k, v [B, L, ...] from a column on, `heads` times
/// `head_dim` columns. `rows` [G, M] names the tokens of each of G windows, each token once; query
/// i of a window attends to the window's M keys, and its result goes where the query came from.
Type infer_attention(const Rule& rule) {
  const int64_t heads = rule.integer("heads"), dim = rule.integer("head_dim");
  rule.require(heads >= 1 && dim >= 1 && heads <= kMaxSize / dim, "{} heads of {}", heads, dim);
  constexpr std::array kOffsets = {"q_offset", "k_offset", "v_offset"};
  for (size_t i = 0; i < 3; ++i) {
    rule.require_float(i);
    rule.require_rank(i, 3, 3);
    const auto& shape = rule.shape(i);
    const int64_t offset = rule.integer(kOffsets[i]);
    rule.require(!shape[1].batch && !shape[2].batch && shape[0] == rule.shape(0)[0] &&
                     offset >= 0 && offset + heads * dim <= shape[2].size,
                 "operand {} is {}; {} columns from {} on are expected", i,
                 to_string(rule.operand(i)), heads * dim, offset);
  }
  const Dim queries = rule.shape(0)[1], keys = rule.shape(1)[1];
  rule.require(rule.shape(2)[1] == keys, "{} keys, {} values", to_string(keys),
               to_string(rule.shape(2)[1]));
  Dim groups{1}, group_queries = queries, group_keys = keys;
  if (rule.has(5)) {
    const auto& rows = rule.operand(5);
    rule.require(rows.dtype == DType::I64 && rows.dims.size() == 2 && !has_batch(rows.dims) &&
                     queries == keys && elements(rows.dims) == queries.size,
                 "windows {} of {} tokens", to_string(rows), to_string(queries));
    groups = rows.dims[0];
    group_queries = group_keys = rows.dims[1];
  }
  if (rule.has(3)) rule.require_type(3, {DType::F32, {{heads}, group_queries, group_keys}});
  if (rule.has(4)) rule.require_type(4, {DType::F32, {groups, group_queries, group_keys}});
  if (rule.has(6)) rule.require_type(6, {DType::F32, {{heads}}});
  return {DType::F32, {rule.shape(0)[0], queries, {heads * dim}}};
}

/// Rows of head `head` in token rows of picture `b`.
Rows token_rows(const Call& call, size_t operand, int64_t offset, int64_t b,
                const int64_t* numbers) {
  const auto& shape = call.shape(operand);
  return {call.floats(operand) + b * shape[1] * shape[2] + offset, shape[2], numbers};
}

void attention(const Call& call) {
  const int64_t heads = call.integer("heads"), dim = call.integer("head_dim");
  const auto& shape = call.result().shape;
  const int64_t groups = call.has(5) ? call.shape(5)[0] : 1;
  const int64_t queries = call.has(5) ? call.shape(5)[1] : shape[1];
  const int64_t keys = call.has(5) ? queries : call.shape(1)[1], area = queries * keys;
  for (int64_t job = 0; job < shape[0] * groups * heads; ++job) {
    const int64_t h = job % heads, g = job / heads % groups, b = job / heads / groups;
    const int64_t* numbers = call.has(5) ? call.operand(5).as<int64_t>() + g * queries : nullptr;
    const Head head{token_rows(call, 0, call.integer("q_offset") + h * dim, b, numbers),
                    token_rows(call, 1, call.integer("k_offset") + h * dim, b, numbers),
                    token_rows(call, 2, call.integer("v_offset") + h * dim, b, numbers),
                    queries,
                    keys,
                    dim,
                    dim,
                    call.has(6) ? call.floats(6)[h] : call.real("scale"),
                    call.integer("cosine") != 0,
                    call.has(3) ? call.floats(3) + h * area : nullptr,
                    call.has(4) ? call.floats(4) + g * area : nullptr,
                    is_half(call)};
    for (int64_t i = 0; i < queries; ++i) {
      const int64_t row = b * shape[1] + (numbers ? numbers[i] : i);
      attend(head, i, call.floats() + row * shape[2] + h * dim);
    }
  }
}

}  // namespace

std::span<const OpInfo> matrix_ops() {
  using enum AttributeKind;
  static const std::vector<OpInfo> ops = {
      {Op::linear,
       "linear",
       {{"x"},
        {"weight"},
        {"bias", true},
        {"residual", true},
        {"weight_scale", true},
        {"weight_sum", true}},
       {{"activation", choice, int64_t{0}, kActivations},
        {"precision", choice, int64_t{0}, kPrecisions},
        {"input_scale", real, 0.0},
        {"input_zero", integer, int64_t{128}}},
       infer_linear,
       linear},
      {Op::mix,
       "mix",
       {{"x"}, {"weight"}, {"bias", true}, {"residual", true}},
       {{"activation", choice, int64_t{0}, kActivations},
        {"precision", choice, int64_t{0}, kHalfPrecisions}},
       infer_mix,
       mix},
      {Op::matmul, "matmul", {{"a"}, {"b"}}, {}, infer_matmul, matmul},
      {Op::sdpa,
       "sdpa",
       {{"q"}, {"k"}, {"v"}, {"mask", true}},
       {{"scale", real, 0.0}},
       infer_sdpa,
       sdpa},
      {Op::attention,
       "attention",
       {{"q"}, {"k"}, {"v"}, {"bias", true}, {"mask", true}, {"rows", true}, {"scales", true}},
       {{"heads", integer},
        {"head_dim", integer},
        {"scale", real},
        {"q_offset", integer, int64_t{0}},
        {"k_offset", integer, int64_t{0}},
        {"v_offset", integer, int64_t{0}},
        {"cosine", integer, int64_t{0}},
        {"precision", choice, int64_t{0}, kHalfPrecisions}},
       infer_attention,
       attention},
  };
  return ops;
}

}  // namespace saccade::ops
