#pragma once
// What lower precision costs each layer on real pictures, and how int8 layers round their rows.

#include "saccade/tune/layer.h"
#include "saccade/tune/pictures.h"

namespace saccade::tune {

/// Fills Form::error of every possible form, and for int8 the choice between a scale of its own for
/// each row and a fixed one from the range of the layer's inputs (its whole, or all but the rarest
/// 0.02 or 0.2 %): the one with the smallest error. Layers are measured one by one, each on the
/// inputs that it has in fp32.
void measure_errors(const plan::Plan& optimised, const Pictures& pictures,
                    std::vector<Layer>& layers, const OnPictures& on_pictures = {});

}  // namespace saccade::tune
