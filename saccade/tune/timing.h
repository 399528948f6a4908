#pragma once
// How long layers take on this machine: in the whole plan, where weights come from memory and
// threads are shared, not by themselves.

#include "saccade/tune/layer.h"

namespace saccade::tune {

/// Fills Form::ms of every possible form: a plan for each precision, run in turns on random inputs;
/// the shortest time of each layer counts. Takes a few seconds.
void measure_times(const plan::Plan& optimised, std::vector<Layer>& layers);

/// Milliseconds of one run of each plan at batch 1, the shortest of several, in turns.
[[nodiscard]] std::vector<double> measure_plans(const std::vector<plan::Plan>& plans);

}  // namespace saccade::tune
