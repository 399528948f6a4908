#pragma once
// Reading what stands around an attention: scales, unit lengths, biases and masks of the scores.

#include <optional>

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Queries and keys as they are cut out of their tokens, and what is done to them.
struct ScoreSource {
  plan::ValueId q = plan::kAbsent, k = plan::kAbsent;
  double scale = 1.0;
  bool cosine = false;                   ///< both are brought to unit length
  std::optional<plan::Constant> scales;  ///< [heads]: one for each head, instead of `scale`
};

/// What an sdpa node multiplies. Nothing if only one side is brought to unit length.
[[nodiscard]] std::optional<ScoreSource> read_scores(const plan::Graph& graph,
                                                     const plan::Value& sdpa);

/// What is added to the scores: one table for each head, one for each window.
struct ScoreTerms {
  std::optional<plan::Constant> bias;  ///< [heads, rows, rows]
  std::optional<plan::Constant> mask;  ///< [groups, rows, rows]
};

/// Nothing if the mask depends on the inputs, differs between pictures, or is no sum of the two.
[[nodiscard]] std::optional<ScoreTerms> read_terms(const plan::Graph& graph,
                                                   const plan::Value& sdpa, int64_t groups,
                                                   int64_t heads);

}  // namespace saccade::compile
