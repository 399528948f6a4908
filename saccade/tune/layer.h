#pragma once
// What is known about each product of a graph while its precision is chosen.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "saccade/compile/compile.h"

namespace saccade::tune {

using ops::Precision;

/// From the highest to the lowest.
inline constexpr std::array kPrecisions = {Precision::fp32, Precision::bf16, Precision::int8};

/// "fp32", "bf16", "int8"
[[nodiscard]] std::string_view name(Precision precision);
[[nodiscard]] std::optional<Precision> parse_precision(std::string_view text);

/// One way to compute a layer.
struct Form {
  bool possible = false;
  compile::Choice choice;
  std::optional<double> ms;     ///< on this machine, the shortest of several runs
  std::optional<double> error;  ///< of its output: |y - y_fp32| / |y_fp32|, root of the squares
};

/// A linear layer or an attention.
struct Layer {
  plan::ValueId id = plan::kAbsent;  ///< in the optimised graph
  std::string path;                  ///< the module's
  std::string op;
  std::array<Form, kPrecisions.size()> forms;  ///< by precision
  Precision chosen = Precision::fp32;
  std::string reason;  ///< why it is higher than what was asked for; empty if it is not

  [[nodiscard]] Form& form(Precision p) { return forms[static_cast<size_t>(p)]; }
  [[nodiscard]] const Form& form(Precision p) const { return forms[static_cast<size_t>(p)]; }
};

/// The products of an optimised graph with their forms down to `lowest`. `bf16` says whether bf16
/// may stand in where int8 was asked for and is not taken.
[[nodiscard]] std::vector<Layer> layers_of(const plan::Graph& optimised, Precision lowest,
                                           bool bf16);

/// Each layer in the precision chosen for it.
[[nodiscard]] compile::Assignment assignment_of(const std::vector<Layer>& layers);
/// Each layer in that precision, or the next higher one that it has.
[[nodiscard]] compile::Assignment assignment_of(const std::vector<Layer>& layers,
                                                Precision precision);

}  // namespace saccade::tune
