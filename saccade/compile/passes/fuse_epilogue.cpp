#include "saccade/compile/passes/fuse_epilogue.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Activation, ops::Op, plan::Graph, plan::Value, plan::ValueId;

namespace {

/// The operand that linear, mix and layer_norm add to their result.
constexpr size_t kResidual = 3;

std::optional<Activation> activation_of(const Value& node) {
  switch (node.op) {
    case Op::relu: return Activation::relu;
    case Op::silu: return Activation::silu;
    case Op::sigmoid: return Activation::sigmoid;
    case Op::tanh: return Activation::tanh;
    case Op::gelu:
      return plan::attribute<int64_t>(node, "approximate") == 0 ? Activation::gelu
                                                                : Activation::gelu_tanh;
    default: return std::nullopt;
  }
}

class Fusion {
 public:
  explicit Fusion(const Graph& graph)
      : graph_(graph), uses_(count_uses(graph)), rewriter_(graph), to_(rewriter_.to()) {}

  Graph run() {
    return rewriter_.run([&](ValueId old) {
      const auto& node = graph_.value(old);
      if (node.kind != plan::ValueKind::node) return;
      if (const auto activation = activation_of(node)) return fuse_activation(old, *activation);
      if (node.op == Op::add) fuse_residual(old);
    });
  }

 private:
  /// The node of one of these kinds that gives the old value, serves nobody else and has no
  /// residual yet, in the new graph.
  [[nodiscard]] ValueId source_of(ValueId old, std::initializer_list<Op> kinds) const {
    if (old == plan::kAbsent || uses_[static_cast<size_t>(old)] != 1) return plan::kAbsent;
    const ValueId id = rewriter_.at(old);
    const bool fits = std::ranges::any_of(kinds, [&](Op kind) { return to_.is_node(id, kind); }) &&
                      to_.value(id).operands[kResidual] == plan::kAbsent;
    return fits ? id : plan::kAbsent;
  }

  void fuse_activation(ValueId old, Activation activation) {
    const ValueId id = source_of(graph_.value(old).operands[0], {Op::linear, Op::mix});
    if (id == plan::kAbsent) return;
    const Value linear = to_.value(id);
    if (plan::attribute<int64_t>(linear, "activation") != 0) return;
    rewriter_.replace(
        old, to_.add(linear.op, linear.operands, {{"activation", static_cast<int64_t>(activation)}},
                     linear.path));
  }

  void fuse_residual(ValueId old) {
    const auto& node = graph_.value(old);
    for (const size_t side : {size_t{1}, size_t{0}}) {
      const ValueId id = source_of(node.operands[side], {Op::linear, Op::mix, Op::layer_norm});
      if (id == plan::kAbsent || to_.value(id).type != node.type) continue;
      if (graph_.value(node.operands[1 - side]).type != node.type) continue;  // a row for all
      Value source = to_.value(id);
      source.operands[kResidual] = rewriter_.at(node.operands[1 - side]);
      rewriter_.replace(old, clone_node(to_, source, source.operands));
      return;
    }
  }

  const Graph& graph_;
  std::vector<int> uses_;
  Rewriter rewriter_;
  Graph& to_;
};

}  // namespace

Graph fuse_epilogue(const Graph& graph) { return Fusion(graph).run(); }

}  // namespace saccade::compile
