#pragma once
// The binary batches of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): one
// record is its label bytes (CIFAR-10: class; CIFAR-100: coarse and fine class) and 32x32 samples,
// all red, then all green, then all blue.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "saccade/data/dataset.h"

namespace saccade::data {

/// "train" and "test" as far as their files are in the folder; empty if it is no CIFAR folder.
[[nodiscard]] std::vector<std::string> cifar_splits(const std::filesystem::path& folder);

/// Throws Error (bad_input) for a batch that is no whole number of records and for a label that has
/// no name, with file and offset.
[[nodiscard]] std::shared_ptr<const ImageDataset> open_cifar(const std::filesystem::path& folder,
                                                             const std::string& split);

}  // namespace saccade::data
