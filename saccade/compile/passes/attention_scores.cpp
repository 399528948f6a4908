#include "saccade/compile/passes/attention_scores.h"

#include <algorithm>
#include <cmath>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/ops/context.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;

namespace {

constexpr int64_t kTestBatch = 2;
/// A table of biases and one of masks stand for their sum if it differs by no more than rounding.
constexpr double kRounding = 1e-5;

/// The operand of an l2_normalize over the last dimension with no more than a guard as eps.
ValueId unit_length_of(const Graph& graph, ValueId id) {
  if (!graph.is_node(id, Op::l2_normalize)) return plan::kAbsent;
  const auto& node = graph.value(id);
  const auto last = static_cast<int64_t>(node.type.dims.size()) - 1;
  const bool fits = plan::attribute<int64_t>(node, "axis") == last &&
                    plan::attribute<double>(node, "eps") <= 1e-6;
  return fits ? node.operands[0] : plan::kAbsent;
}

/// A constant [heads, 1, 1] (or [1, heads, 1, 1]) as [heads].
std::optional<plan::Constant> head_scales(const Graph& graph, ValueId id, int64_t heads) {
  if (!graph.is_constant(id)) return std::nullopt;
  auto constant = graph.constant_of(id);
  const auto rank = constant.shape.size();
  const bool fits = constant.dtype == DType::F32 && rank >= 3 &&
                    constant.shape[rank - 3] == heads && saccade::numel(constant.shape) == heads;
  if (!fits) return std::nullopt;
  constant.shape = {heads};
  return constant;
}

/// Values computed from constants alone, for a batch.
std::optional<HostTensor> constant_value(const Graph& graph, ValueId id, int64_t batch) {
  if (id == plan::kAbsent) return HostTensor();
  const auto& value = graph.value(id);
  if (value.kind == plan::ValueKind::input) return std::nullopt;
  if (value.kind == plan::ValueKind::constant) {
    const auto& constant = graph.constant_of(id);
    if (constant.layout != ops::Layout::row_major) return std::nullopt;
    return to_tensor(constant);
  }
  std::vector<HostTensor> operands;
  for (const ValueId operand : value.operands) {
    auto tensor = constant_value(graph, operand, batch);
    if (!tensor) return std::nullopt;
    operands.push_back(std::move(*tensor));
  }
  return evaluate(value, operands, batch);
}

/// The mask as [batch * groups, heads, rows, rows], read through its strides.
class ScoreTable {
 public:
  ScoreTable(HostTensor tensor, int64_t groups, int64_t heads, int64_t rows)
      : tensor_(std::move(tensor)), groups_(groups), heads_(heads), area_(rows * rows) {
    const Shape shape = {kTestBatch * groups, heads, rows, rows};
    strides_ = ops::broadcast_strides(ops::Extents(tensor_.shape()), ops::Extents(shape));
    rows_ = rows;
  }
  [[nodiscard]] int64_t area() const { return area_; }
  [[nodiscard]] float at(int64_t group, int64_t head, int64_t place) const {
    const int64_t offset = group * strides_[0] + head * strides_[1] + place / rows_ * strides_[2] +
                           place % rows_ * strides_[3];
    return tensor_.as<float>()[static_cast<size_t>(offset)];
  }
  [[nodiscard]] bool same_for_pictures() const {
    for (int64_t g = 0; g < groups_; ++g)
      for (int64_t h = 0; h < heads_; ++h)
        for (int64_t i = 0; i < area_; ++i)
          if (at(g, h, i) != at(g + groups_, h, i)) return false;
    return true;
  }
  /// True if bias[h] + mask[g] is the table.
  [[nodiscard]] bool is_sum(std::span<const float> bias, std::span<const float> mask) const {
    for (int64_t g = 0; g < groups_; ++g)
      for (int64_t h = 0; h < heads_; ++h)
        for (int64_t i = 0; i < area_; ++i) {
          const double sum = double{bias[static_cast<size_t>(h * area_ + i)]} +
                             mask[static_cast<size_t>(g * area_ + i)];
          const double value = at(g, h, i);
          if (!(std::abs(sum - value) <= kRounding * std::max(1.0, std::abs(value)))) return false;
        }
    return true;
  }

 private:
  HostTensor tensor_;
  ops::Extents strides_;
  int64_t groups_, heads_, rows_, area_;
};

bool all_zero(std::span<const float> values) {
  return std::ranges::all_of(values, [](float x) { return x == 0.0F; });
}

std::optional<plan::Constant> table(const std::vector<float>& values, Shape shape) {
  if (all_zero(values)) return std::nullopt;
  return plan::make_constant("", HostTensor::of(std::move(shape), std::span<const float>(values)));
}

}  // namespace

std::optional<ScoreSource> read_scores(const Graph& graph, const Value& sdpa) {
  ScoreSource out{
      sdpa.operands[0], sdpa.operands[1], plan::attribute<double>(sdpa, "scale"), false, {}};
  const auto& dims = graph.value(out.q).type.dims;
  if (out.scale == 0.0) out.scale = 1.0 / std::sqrt(static_cast<double>(dims.back().size));
  if (dims.size() != 4) return std::nullopt;
  if (const ValueId k = unit_length_of(graph, out.k); k != plan::kAbsent) {
    ValueId q = out.q;
    if (graph.is_node(q, Op::mul) && out.scale == 1.0) {
      out.scales = head_scales(graph, graph.value(q).operands[1], dims[1].size);
      if (out.scales) q = graph.value(q).operands[0];
    }
    q = unit_length_of(graph, q);
    if (q == plan::kAbsent) return std::nullopt;
    out.q = q;
    out.k = k;
    out.cosine = true;
  }
  return out;
}

std::optional<ScoreTerms> read_terms(const Graph& graph, const Value& sdpa, int64_t groups,
                                     int64_t heads) {
  ScoreTerms terms;
  if (sdpa.operands[3] == plan::kAbsent) return terms;
  auto value = constant_value(graph, sdpa.operands[3], kTestBatch);
  if (!value) return std::nullopt;
  const int64_t rows = sdpa.type.dims[2].size;
  const ScoreTable scores(*value, groups, heads, rows);
  if (!scores.same_for_pictures()) return std::nullopt;
  const int64_t area = scores.area();
  // The bias is what window 0 has, the mask what the others differ by. In a grid of shifted
  // windows the first one is not masked.
  std::vector<float> bias(static_cast<size_t>(heads * area));
  std::vector<float> mask(static_cast<size_t>(groups * area));
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t i = 0; i < area; ++i) bias[static_cast<size_t>(h * area + i)] = scores.at(0, h, i);
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t i = 0; i < area; ++i)
      mask[static_cast<size_t>(g * area + i)] = scores.at(g, 0, i) - scores.at(0, 0, i);
  if (!scores.is_sum(bias, mask)) return std::nullopt;
  terms.bias = table(bias, {heads, rows, rows});
  terms.mask = table(mask, {groups, rows, rows});
  return terms;
}

}  // namespace saccade::compile
