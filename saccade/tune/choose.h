#pragma once
// Which precision each layer gets: the fastest first, then back up until the answers are good
// enough.

#include <functional>

#include "saccade/tune/layer.h"

namespace saccade::tune {

/// Chooses the fastest form of each layer, or the lowest where times were not measured. A lower
/// precision must be faster by 3 %, so that noise does not decide. Says why a layer stays higher
/// than `lowest`.
void choose_fastest(std::vector<Layer>& layers, Precision lowest);

/// Raises layers, those with the most error for the time gained first, until loss(assignment) <=
/// budget, and no further. Needs the errors of all forms. The number of calls grows with the
/// logarithm of the number of layers; the last one within the budget is for what is chosen.
void fit_budget(std::vector<Layer>& layers, double budget,
                const std::function<double(const compile::Assignment&)>& loss);

}  // namespace saccade::tune
