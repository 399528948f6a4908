#include "saccade/compile/passes/fuse_attention.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/compile/ir/rewrite.h"
#include "saccade/compile/passes/attention_scores.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

/// One batch size would not show whether pictures swap places.
constexpr int64_t kTestBatch = 2;

/// Sizes of one sdpa: [groups * N, heads, rows, dim].
struct Sizes {
  int64_t groups, heads, rows, dim;
  [[nodiscard]] int64_t tokens() const { return groups * rows; }
};

/// Token rows that a query, key or value was cut out of.
struct Source {
  ValueId base = plan::kAbsent;
  int64_t width = 0;   ///< columns of a token row
  int64_t offset = 0;  ///< first column of head 0
  Integers rows;       ///< [groups * rows]: token of each row
};

std::optional<Sizes> sizes_of(const ops::Dims& dims) {
  if (dims.size() != 4 || !dims[0].batch) return std::nullopt;
  return Sizes{dims[0].size, dims[1].size, dims[2].size, dims[3].size};
}

/// Finds the tokens [N, ..., width] below the views of one operand.
std::optional<Source> find_source(const Graph& graph, ValueId operand, const Sizes& s) {
  Source source;
  const auto chain = views_above(graph, operand, source.base);
  const auto& dims = graph.value(source.base).type.dims;
  if (dims.size() < 2 || dims[0] != ops::Dim{1, true}) return std::nullopt;
  source.width = dims.back().size;
  const int64_t tokens = ops::elements(dims) / source.width;
  if (tokens != s.tokens()) return std::nullopt;
  const auto map = index_map(graph, source.base, chain, kTestBatch);
  const auto places = map.as<int64_t>();
  source.offset = places[0] % source.width;
  source.rows.resize(static_cast<size_t>(tokens));
  const int64_t head_size = s.rows * s.dim;
  for (int64_t g = 0; g < s.groups; ++g)
    for (int64_t m = 0; m < s.rows; ++m) {
      const int64_t first = places[static_cast<size_t>(g * s.heads * head_size + m * s.dim)];
      source.rows[static_cast<size_t>(g * s.rows + m)] = first / source.width;
    }
  size_t at = 0;
  for (int64_t n = 0; n < kTestBatch; ++n)
    for (int64_t g = 0; g < s.groups; ++g)
      for (int64_t h = 0; h < s.heads; ++h)
        for (int64_t m = 0; m < s.rows; ++m) {
          const int64_t row = source.rows[static_cast<size_t>(g * s.rows + m)] + n * tokens;
          const int64_t first = row * source.width + source.offset + h * s.dim;
          for (int64_t d = 0; d < s.dim; ++d)
            if (places[at++] != first + d) return std::nullopt;
        }
  return source;
}

/// True if element (n, g, h, m, d) of the attention's result stands at token `row(g, m)`, column
/// h * dim + d of the end of the chain.
bool joins_heads(const HostTensor& map, const Sizes& s, const Integers& rows) {
  const auto places = map.as<int64_t>();
  const int64_t width = s.heads * s.dim;
  int64_t element = 0;
  for (int64_t n = 0; n < kTestBatch; ++n)
    for (int64_t g = 0; g < s.groups; ++g)
      for (int64_t h = 0; h < s.heads; ++h)
        for (int64_t m = 0; m < s.rows; ++m) {
          const int64_t token = n * s.tokens() + rows[static_cast<size_t>(g * s.rows + m)];
          const int64_t first = token * width + h * s.dim;
          for (int64_t d = 0; d < s.dim; ++d)
            if (places[static_cast<size_t>(first + d)] != element++) return false;
        }
  return true;
}

Integers in_order(int64_t count) {
  Integers rows(static_cast<size_t>(count));
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  return rows;
}

ValueId add_rows(Graph& to, const Integers& rows, Shape shape) {
  return to.add_constant(
      plan::make_constant("", HostTensor::of(std::move(shape), std::span<const int64_t>(rows))));
}

/// Token rows as [N, tokens, width].
ValueId as_tokens(Graph& to, const Source& source, const Sizes& s) {
  const ops::Dims dims = {{1, true}, {s.tokens()}, {source.width}};
  if (to.value(source.base).type.dims == dims) return source.base;
  return to.add(Op::reshape, {source.base}, {{"shape", dims}});
}

class Fusion {
 public:
  explicit Fusion(const Graph& graph) : graph_(graph), rewriter_(graph), to_(rewriter_.to()) {
    users_.resize(graph.values.size());
    for (size_t i = 0; i < graph.values.size(); ++i)
      for (const ValueId id : graph.values[i].operands)
        if (id != plan::kAbsent) users_[static_cast<size_t>(id)].push_back(static_cast<ValueId>(i));
    for (const auto& output : graph.outputs)
      users_[static_cast<size_t>(output.value)].push_back(plan::kAbsent);
  }

  Graph run() {
    return rewriter_.run([&](ValueId old) {
      if (const auto fused = joined_.find(old); fused != joined_.end())
        rewriter_.replace(old, finish(fused->second, old));
      else if (graph_.is_node(old, Op::sdpa))
        fuse(old);
    });
  }

 private:
  /// An attention that was fused, until the view that joins its heads comes by.
  struct Fused {
    ValueId attention;  ///< in the new graph
    Sizes sizes;
    Integers rows;  ///< order of the tokens that the old graph has there
    bool gather;    ///< the old graph has them window by window
  };

  /// Where the heads are joined again: the end of a chain of views, each the only use of the last.
  struct Joint {
    ValueId end;
    bool by_windows;
  };
  [[nodiscard]] std::optional<Joint> find_joint(ValueId sdpa, const Sizes& s,
                                                const Integers& rows) const {
    Chain chain;
    const auto windows = in_order(s.tokens());
    for (ValueId end = sdpa;;) {
      const auto map = index_map(graph_, sdpa, chain, kTestBatch);
      if (map.numel() != kTestBatch * s.tokens() * s.heads * s.dim) return std::nullopt;
      if (!chain.empty() && joins_heads(map, s, rows)) return Joint{end, false};
      if (!chain.empty() && joins_heads(map, s, windows)) return Joint{end, true};
      const auto& users = users_[static_cast<size_t>(end)];
      if (users.size() != 1 || users[0] == plan::kAbsent || !is_view(graph_, users[0]))
        return std::nullopt;
      end = users[0];
      chain.push_back(end);
    }
  }

  void fuse(ValueId old) {
    const auto& node = graph_.value(old);
    const auto sizes = sizes_of(node.type.dims);
    const auto heads = read_scores(graph_, node);
    if (!sizes || !heads) return;
    std::array<Source, 3> sources;
    const std::array operands = {heads->q, heads->k, node.operands[2]};
    for (size_t i = 0; i < 3; ++i) {
      if (sizes_of(graph_.value(operands[i]).type.dims)->dim != sizes->dim) return;
      const auto source = find_source(graph_, operands[i], *sizes);
      if (!source || (i > 0 && source->rows != sources[0].rows)) return;
      sources[i] = *source;
    }
    const auto joint = find_joint(old, *sizes, sources[0].rows);
    const auto terms = read_terms(graph_, node, sizes->groups, sizes->heads);
    if (!joint || !terms) return;
    const bool plain = sizes->groups == 1 && sources[0].rows == in_order(sizes->tokens());
    const ValueId attention = emit(node, *sizes, sources, *heads, *terms, plain);
    joined_.emplace(joint->end,
                    Fused{attention, *sizes, sources[0].rows, joint->by_windows && !plain});
  }

  ValueId emit(const Value& node, const Sizes& s, std::array<Source, 3> sources,
               const ScoreSource& heads, const ScoreTerms& terms, bool plain) {
    std::vector<ValueId> operands;
    for (auto& source : sources) {
      source.base = rewriter_.at(source.base);
      operands.push_back(as_tokens(to_, source, s));
    }
    for (const auto& term : {terms.bias, terms.mask})
      operands.push_back(term ? to_.add_constant(*term) : plan::kAbsent);
    operands.push_back(plain ? plan::kAbsent : add_rows(to_, sources[0].rows, {s.groups, s.rows}));
    operands.push_back(heads.scales ? to_.add_constant(*heads.scales) : plan::kAbsent);
    return to_.add(Op::attention, operands,
                   {{"heads", s.heads},
                    {"head_dim", s.dim},
                    {"scale", heads.scale},
                    {"q_offset", sources[0].offset},
                    {"k_offset", sources[1].offset},
                    {"v_offset", sources[2].offset},
                    {"cosine", int64_t{heads.cosine}}},
                   node.path);
  }

  /// The joined heads under the shape that the old graph gave them.
  ValueId finish(const Fused& fused, ValueId old) {
    ValueId id = fused.attention;
    if (fused.gather)
      id = to_.add(Op::gather, {id, add_rows(to_, fused.rows, {fused.sizes.tokens()})},
                   {{"axis", int64_t{1}}});
    const auto& dims = graph_.value(old).type.dims;
    return to_.value(id).type.dims == dims ? id : to_.add(Op::reshape, {id}, {{"shape", dims}});
  }

  const Graph& graph_;
  Rewriter rewriter_;
  Graph& to_;
  std::vector<std::vector<ValueId>> users_;
  std::map<ValueId, Fused> joined_;  ///< by the old value that joins the heads
};

}  // namespace

Graph fuse_attention(const Graph& graph) { return Fusion(graph).run(); }

}  // namespace saccade::compile
