#include "saccade/compile/passes/fuse_linear.h"

#include <optional>

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Activation, ops::Op, plan::Graph, plan::Value, plan::ValueId;

namespace {

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
  /// The linear layer that gives the old value and serves nobody else, in the new graph.
  [[nodiscard]] ValueId linear_of(ValueId old) const {
    if (old == plan::kAbsent || uses_[static_cast<size_t>(old)] != 1) return plan::kAbsent;
    const ValueId id = rewriter_.at(old);
    return to_.is_node(id, Op::linear) && to_.value(id).operands[3] == plan::kAbsent
               ? id
               : plan::kAbsent;
  }

  void fuse_activation(ValueId old, Activation activation) {
    const ValueId id = linear_of(graph_.value(old).operands[0]);
    if (id == plan::kAbsent) return;
    const Value linear = to_.value(id);
    if (plan::attribute<int64_t>(linear, "activation") != 0) return;
    rewriter_.replace(old,
                      to_.add(Op::linear, linear.operands,
                              {{"activation", static_cast<int64_t>(activation)}}, linear.path));
  }

  void fuse_residual(ValueId old) {
    const auto& node = graph_.value(old);
    for (const size_t side : {size_t{1}, size_t{0}}) {
      const ValueId id = linear_of(node.operands[side]);
      if (id == plan::kAbsent || to_.value(id).type != node.type) continue;
      if (graph_.value(node.operands[1 - side]).type != node.type) continue;  // a row for all
      Value linear = to_.value(id);
      linear.operands[3] = rewriter_.at(node.operands[1 - side]);
      rewriter_.replace(old, clone_node(to_, linear, linear.operands));
      return;
    }
  }

  const Graph& graph_;
  std::vector<int> uses_;
  Rewriter rewriter_;
  Graph& to_;
};

}  // namespace

Graph fuse_linear(const Graph& graph) { return Fusion(graph).run(); }

}  // namespace saccade::compile
