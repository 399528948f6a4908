#pragma once
// What a checkpoint holds: tensors as plain views, and what cannot be one.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "saccade/base/tensor.h"

namespace saccade::checkpoint {

/// One tensor of a file.
struct Entry {
  std::string path;                   ///< place in the file: all containers, joined by '.'
  std::optional<std::string> name;    ///< after unwrapping; empty outside the chosen dictionary
  TensorView view;                    ///< valid while the Checkpoint lives
  std::shared_ptr<const void> owner;  ///< keeps `view` alive beyond the Checkpoint
  std::optional<uint32_t> storage;    ///< tensors of one file with equal numbers share their bytes
  bool parameter = false;             ///< a torch.nn.Parameter
  bool requires_grad = false;
  bool numpy = false;  ///< an array of numpy
};

/// A tensor that the file has and that cannot be listed (sparse, quantized, without data).
struct LeftOut {
  std::string path;
  std::string reason;
};

}  // namespace saccade::checkpoint
