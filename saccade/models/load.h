#pragma once
// Fills a model from plain tensors, strictly: everything fits, or one error says what does not.

#include <string_view>

#include "saccade/base/tensor.h"
#include "saccade/checkpoint/dialect.h"
#include "saccade/models/model.h"

namespace saccade::models {

/// Copies `state` (official names) into the model. Missing, surplus and misshapen tensors, and
/// derived ones that differ from what the configuration gives, are one Error (bad_input, naming
/// `where`) that lists them all, with the model's own reason (Model::misfit) if it has one; nothing
/// is loaded then.
void load_state(Model& model, const NamedTensors& state, std::string_view where);

/// `tensors` under official names: the first dialect that recognises them translates, else they are
/// taken to be official. `dialect` receives its name, "official" if none. Throws Error (bad_input)
/// for a file that mixes two conventions.
[[nodiscard]] NamedTensors translate(const std::vector<checkpoint::Dialect>& dialects,
                                     const NamedTensors& tensors, std::string_view where,
                                     std::string* dialect = nullptr);

/// `state` (official names) with the derived tensors that files of the dialect hold.
[[nodiscard]] NamedTensors with_derived(NamedTensors state, const Model& model,
                                        const checkpoint::Dialect& dialect);

/// Formula weights (golden/README.md): every parameter and floating buffer is a function of its
/// name.
void fill_by_formula(Model& model);
/// The formula's inputs: 4u - 2 with the tensor's name.
[[nodiscard]] HostTensor formula_input(std::string_view name, const Shape& shape);

}  // namespace saccade::models
