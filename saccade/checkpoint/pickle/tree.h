#pragma once
// From the value of a pickle to the tensors and simple values of a checkpoint, each with its path.

#include <memory>

#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/common/contents.h"
#include "saccade/checkpoint/pickle/source.h"
#include "saccade/checkpoint/pickle/values.h"

namespace saccade::checkpoint::pickle {

struct TreeInput {
  const Input& file;
  const Heap& heap;
  const Source& source;
  Budget& budget;
  std::shared_ptr<const void> owner;  ///< keeps storages and pickle alive
  bool big_endian = false;            ///< of the storages
};

/// Walks dictionaries, lists and tuples; sets and instances of classes are opaque. Fills entries,
/// metadata, left_out and root_children. Throws Error (bad_input) if the root is no container and
/// no tensor, or if all there is hides in opaque objects.
void collect(const Value& root, const TreeInput& input, Contents& contents);

}  // namespace saccade::checkpoint::pickle
