#include "saccade/compile/passes/passes.h"

#include "saccade/compile/passes/dead_code.h"
#include "saccade/compile/passes/fold_batch_norm.h"
#include "saccade/compile/passes/fold_constants.h"
#include "saccade/compile/passes/fuse_attention.h"
#include "saccade/compile/passes/fuse_bias.h"
#include "saccade/compile/passes/fuse_epilogue.h"
#include "saccade/compile/passes/fuse_normalize.h"
#include "saccade/compile/passes/lower_conv.h"
#include "saccade/compile/passes/mix_rows.h"
#include "saccade/compile/passes/pack_weights.h"
#include "saccade/compile/passes/share_values.h"
#include "saccade/compile/passes/simplify_views.h"
#include "saccade/compile/passes/sink_views.h"

namespace saccade::compile {

std::span<const Pass> passes() {
  static constexpr Pass kPasses[] = {
      {"fold_constants", "compute what depends on constants alone", fold_constants},
      {"share_values", "compute equal values once", share_values},
      {"fold_batch_norm", "batch normalisation becomes part of a convolution", fold_batch_norm},
      {"lower_conv", "convolutions become patches times a matrix", lower_conv},
      {"fuse_bias", "a constant added to a linear layer becomes its bias", fuse_bias},
      {"fuse_normalize", "a vector divided by its length becomes one operator", fuse_normalize},
      {"simplify_views", "views that undo each other disappear", simplify_views},
      {"sink_views", "move views of rows behind the linear layers that read them", sink_views},
      {"cancel_views", "views that undo each other disappear", simplify_views},
      {"fuse_attention", "heads and windows are read where they lie", fuse_attention},
      {"dead_heads", "drop what attention no longer needs", dead_code},
      {"join_views", "views that undo each other disappear", simplify_views},
      {"sink_windows", "the same for windows that attention has given back", sink_views},
      {"restore_views", "views that undo each other disappear", simplify_views},
      {"fuse_epilogue", "activations and residuals become part of what they follow", fuse_epilogue},
      {"mix_rows", "linear layers over columns work on the rows as they lie", mix_rows},
      {"settle_views", "views that undo each other disappear", simplify_views},
      {"dead_views", "drop views that nobody reads any more", dead_code},
      {"fuse_residuals", "residuals become part of what they follow", fuse_epilogue},
      {"share_again", "compute equal values once", share_values},
      {"dead_code", "drop what no output needs", dead_code},
      {"pack_weights", "weights lie as the kernels read them", pack_weights, Stage::emit},
  };
  return kPasses;
}

}  // namespace saccade::compile
