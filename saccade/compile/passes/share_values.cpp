#include "saccade/compile/passes/share_values.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "saccade/base/random.h"
#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using plan::Constant, plan::Graph, plan::Value, plan::ValueId, plan::ValueKind;

namespace {

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool same(const Constant& a, const Constant& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.layout == b.layout &&
         (a.bytes.data() == b.bytes.data() || text(a.bytes) == text(b.bytes));
}

bool same(const Value& a, const Value& b) {
  return a.op == b.op && a.operands == b.operands && a.attributes == b.attributes &&
         a.type == b.type;
}

/// Equal constants meet in one bucket; large ones are known by their beginning and size.
uint64_t bucket_of(const Constant& constant) {
  constexpr size_t kLooked = 4096;
  const auto start = text(constant.bytes.first(std::min(constant.bytes.size(), kLooked)));
  return mix64(fnv1a(start) ^ constant.bytes.size());
}

uint64_t bucket_of(const Value& node) {
  uint64_t key = static_cast<uint64_t>(node.op);
  for (const ValueId id : node.operands) key = mix64(key ^ static_cast<uint64_t>(id + 2));
  return key;
}

}  // namespace

Graph share_values(const Graph& graph) {
  Rewriter rewriter(graph);
  std::multimap<uint64_t, ValueId> constants, nodes;  // values of the new graph
  auto& to = rewriter.to();
  return rewriter.run([&](ValueId old) {
    auto value = graph.value(old);
    if (value.kind == ValueKind::input) return;
    const bool constant = value.kind == ValueKind::constant;
    if (!constant && !ops::info(value.op).pure) return;
    value.operands = rewriter.at(value.operands);
    auto& known = constant ? constants : nodes;
    const auto key = constant ? bucket_of(graph.constant_of(old)) : bucket_of(value);
    for (auto [it, end] = known.equal_range(key); it != end; ++it) {
      const bool equal = constant ? same(to.constant_of(it->second), graph.constant_of(old))
                                  : same(to.value(it->second), value);
      if (equal) return rewriter.replace(old, it->second);
    }
    known.emplace(key, rewriter.copy(old));
  });
}

}  // namespace saccade::compile
