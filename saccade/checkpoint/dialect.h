#pragma once
// Rename tables between a checkpoint's own names ("dialect") and the official ones. A table is data
// on the page of its system; the engine here applies it in both directions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/tensor.h"

namespace saccade::checkpoint {

/// How the dialect stores a tensor, seen from the official layout.
enum class Layout {
  same,
  linear_in_out,  ///< [in, out]                 <-> [out, in]
  conv_hwio,      ///< [kh, kw, in, out]         <-> [out, in, kh, kw]
  heads_in,       ///< [in, heads, head_dim]     <-> [heads * head_dim, in]
  heads_out,      ///< [heads, head_dim, out]    <-> [out, heads * head_dim]
  heads_bias,     ///< [heads, head_dim]         <-> [heads * head_dim]
};

/// `theirs` (one pattern, or several that are stacked along the first dimension) <-> `official`.
/// "{i}" and "{j}" match runs of digits, "{p}" a run without '.' or '/'; both sides use the same
/// ones.
struct Rule {
  std::vector<std::string> theirs;
  std::string official;
  Layout layout = Layout::same;
};

/// One naming convention of one system.
struct Dialect {
  std::string name;                   ///< "official", "timm", "huggingface", "jax-npz"
  std::vector<std::string> evidence;  ///< patterns that must all occur for recognition
  std::vector<Rule> rules;            ///< a name that no rule matches stays as it is, unless
  bool total = false;                 ///< the convention has nothing but what the rules name
  std::vector<std::string> dropped;   ///< patterns of tensors that are no part of the model
  std::vector<std::string> derived;   ///< official patterns of tensors that follow from the
                                      ///< configuration and yet lie in its files
  std::vector<std::string> prefixes;  ///< optional prefixes stripped before anything else
  std::vector<Rule> places;           ///< its module paths <-> ours, for intermediates in goldens
  int64_t num_heads = 1;              ///< for writing the heads_* layouts
};

/// True if there is evidence and every pattern of it matches a name.
[[nodiscard]] bool recognises(const Dialect& dialect, const NamedTensors& tensors);
/// The first name that only this dialect has, beside others that are not its own: the mark of a
/// file that mixes two conventions. "" if there is none.
[[nodiscard]] std::string stray_name(const Dialect& dialect, const NamedTensors& tensors);
/// Official names and layouts. Throws Error (bad_input, naming `where`) if a stack is incomplete, a
/// shape does not fit its layout, or a name is the official one where the dialect has another.
[[nodiscard]] NamedTensors to_official(const Dialect& dialect, const NamedTensors& tensors,
                                       std::string_view where);
/// True if files of the dialect hold this derived tensor (official name).
[[nodiscard]] bool stores(const Dialect& dialect, std::string_view derived);
/// The dialect's names and layouts. Throws Error (not_supported) for a tensor that a total dialect
/// has no rule for.
[[nodiscard]] NamedTensors from_official(const Dialect& dialect, const NamedTensors& tensors);
/// Our module path for one of the dialect's places, or "" if the table has none.
[[nodiscard]] std::string official_place(const Dialect& dialect, std::string_view place);

}  // namespace saccade::checkpoint
