#include "saccade/train/snapshot.h"

#include <cstring>
#include <set>

#include "saccade/base/check.h"
#include "saccade/base/error.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/checkpoint/writer.h"

namespace saccade::train {
namespace {

constexpr const char* kStateKey = "saccade.training";

DType dtype_of(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat: return DType::F32;
    case at::kDouble: return DType::F64;
    case at::kBFloat16: return DType::BF16;
    case at::kHalf: return DType::F16;
    case at::kLong: return DType::I64;
    case at::kInt: return DType::I32;
    case at::kByte: return DType::U8;
    case at::kBool: return DType::BOOL;
    default: break;
  }
  SACCADE_CHECK(false, "no file type for {}", c10::toString(tensor.scalar_type()));
}

NamedTensors host_tensors(const NamedParameters& tensors) {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) out.emplace_back(name, to_host(tensor));
  return out;
}

/// Names that are on one side only, or differ in type or shape, one per line; "" if there are none.
std::string differences(const NamedTensors& file, const NamedParameters& tensors) {
  std::string out;
  std::set<std::string_view> wanted;
  for (const auto& [name, tensor] : tensors) {
    wanted.insert(name);
    const auto* found = find(file, name);
    const Shape shape(tensor.sizes().begin(), tensor.sizes().end());
    if (!found)
      out += fmt::format("\n  missing: {}", name);
    else if (found->shape() != shape || found->dtype() != dtype_of(tensor))
      out +=
          fmt::format("\n  {}: {} {} here, {} {} wanted", name, saccade::name(found->dtype()),
                      to_string(found->shape()), saccade::name(dtype_of(tensor)), to_string(shape));
  }
  for (const auto& [name, tensor] : file)
    if (!wanted.contains(name)) out += fmt::format("\n  surplus: {}", name);
  return out;
}

}  // namespace

HostTensor to_host(const Tensor& tensor) {
  const auto kept = std::make_shared<Tensor>(tensor.detach().cpu().contiguous());
  const auto* data = static_cast<const std::byte*>(kept->const_data_ptr());
  return {dtype_of(*kept), Shape(kept->sizes().begin(), kept->sizes().end()),
          std::span(data, kept->nbytes()), kept};
}

void write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot) {
  checkpoint::write_safetensors(path, host_tensors(snapshot.tensors),
                                {{kStateKey, snapshot.state.dump()}});
}

Json read_snapshot_state(const std::filesystem::path& path) {
  const auto metadata = checkpoint::Checkpoint::open(path).metadata();
  const auto found = metadata.find(kStateKey);
  if (found == metadata.end() || !found->is_string())
    throw input_error(path.string(), "no training checkpoint: '{}' is missing in its metadata",
                      kStateKey);
  return parse_json(found->get<std::string>(), fmt::format("{}: {}", path.string(), kStateKey));
}

void load_snapshot_tensors(const std::filesystem::path& path, const NamedParameters& tensors) {
  const auto file = checkpoint::Checkpoint::open(path).state_dict();
  const auto wrong = differences(file, tensors);
  if (!wrong.empty())
    throw input_error(path.string(), "the checkpoint does not fit this recipe:{}", wrong);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const auto bytes = find(file, name)->bytes();
    auto host = torch::empty(tensor.sizes(), tensor.options().device(torch::kCPU));
    if (!bytes.empty()) std::memcpy(host.mutable_data_ptr(), bytes.data(), bytes.size());
    auto place = tensor.detach();
    place.copy_(host);
  }
}

void export_model(const std::filesystem::path& path, const NamedParameters& state,
                  const ModelCard& card, bool bf16) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : state)
    tensors.emplace_back(
        name, to_host(bf16 && tensor.is_floating_point() ? tensor.detach().to(torch::kBFloat16)
                                                         : tensor));
  const Json config = {{"system", card.system}, {"config", card.config}};
  checkpoint::write_safetensors(path, tensors,
                                {{"saccade.config", config.dump()},
                                 {"saccade.pipeline", to_json(card.pipeline).dump()},
                                 {"saccade.labels", Json(card.labels).dump()}});
}

}  // namespace saccade::train
