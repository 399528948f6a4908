#pragma once
// Checkpoint files that other programs open: safetensors, .pth (torch.load, weights_only=True) and
// .npz (numpy.load).

#include <filesystem>
#include <map>
#include <string>

#include "saccade/base/tensor.h"

namespace saccade::checkpoint {

/// String metadata of a safetensors file: Saccade keeps "saccade.config", "saccade.pipeline" and
/// "saccade.labels" (JSON texts) in it.
using Metadata = std::map<std::string, std::string>;

/// All write atomically (base/file.h) and read the file back before it takes its place. Tensors
/// that share their bytes share one storage in a .pth. Throws Error: resources if the disk refuses,
/// usage for a name twice or one that is no UTF-8, not_supported for a dtype that the format lacks.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata = {});
/// A state dict under `wrap` ("model" in official releases), or bare if `wrap` is empty.
void write_pth(const std::filesystem::path& path, const NamedTensors& tensors,
               const std::string& wrap = "");
/// Arrays in C order, uncompressed; bfloat16 as JAX saves it ("V2"). Throws Error (not_supported)
/// for a name that is no relative path with '/' between its folders.
void write_npz(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace saccade::checkpoint
