#include "saccade/compile/ir/evaluate.h"

#include <algorithm>
#include <numeric>

#include "saccade/ops/context.h"

namespace saccade::compile {
namespace {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;

HostTensor evaluate_as(const Value& node, const std::vector<HostTensor>& operands, int64_t batch,
                       DType dtype) {
  std::vector<ops::Operand> views;
  for (size_t i = 0; i < node.operands.size(); ++i) {
    if (node.operands[i] == plan::kAbsent) {
      views.emplace_back();
      continue;
    }
    const auto& tensor = operands[i];
    views.push_back({tensor.bytes().data(), tensor.dtype(), ops::Extents(tensor.shape())});
  }
  const auto extents = resolve(node.type.dims, batch);
  HostTensor out(dtype, Shape(extents.span().begin(), extents.span().end()));
  auto* memory = const_cast<std::byte*>(out.bytes().data());  // nobody else sees it yet
  const auto& op = ops::info(node.op);
  op.reference(ops::Call(op, views, node.attributes, {memory, dtype, extents}));
  return out;
}

}  // namespace

HostTensor evaluate(const Value& node, const std::vector<HostTensor>& operands, int64_t batch) {
  return evaluate_as(node, operands, batch, node.type.dtype);
}

bool is_view(const Graph& graph, ValueId id) {
  const auto& value = graph.value(id);
  if (value.kind != plan::ValueKind::node) return false;
  if (value.op == Op::gather) return graph.is_constant(value.operands[1]);
  return value.op == Op::reshape || value.op == Op::permute || value.op == Op::slice ||
         value.op == Op::roll;
}

Chain views_above(const Graph& graph, ValueId end, ValueId& base) {
  Chain chain;
  for (base = end; is_view(graph, base); base = graph.value(base).operands[0])
    chain.push_back(base);
  std::ranges::reverse(chain);
  return chain;
}

HostTensor index_map(const Graph& graph, ValueId base, const Chain& chain, int64_t batch) {
  const auto extents = resolve(graph.value(base).type.dims, batch);
  HostTensor map(DType::I64, Shape(extents.span().begin(), extents.span().end()));
  const auto numbers = map.fill<int64_t>();
  std::iota(numbers.begin(), numbers.end(), 0);
  for (const ValueId id : chain) map = apply_view(graph, id, map);
  return map;
}

HostTensor apply_view(const Graph& graph, ValueId id, const HostTensor& places) {
  const auto& node = graph.value(id);
  std::vector<HostTensor> operands = {places};
  for (size_t i = 1; i < node.operands.size(); ++i)
    operands.push_back(to_tensor(graph.constant_of(node.operands[i])));
  // A view keeps the number of pictures: elements that depend on N show it.
  const int64_t of_one = ops::elements(graph.value(node.operands[0]).type.dims);
  return evaluate_as(node, operands, std::max<int64_t>(places.numel() / of_one, 1), DType::I64);
}

}  // namespace saccade::compile
