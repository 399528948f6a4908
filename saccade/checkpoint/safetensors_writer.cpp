#include <algorithm>
#include <numeric>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/json.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/read_back.h"
#include "saccade/checkpoint/writer.h"

namespace saccade::checkpoint {
namespace {

constexpr size_t kAlignment = 8;

/// Widest elements first, then by name, as the reference writer does: every tensor is aligned.
std::vector<const NamedTensors::value_type*> data_order(const NamedTensors& tensors) {
  std::vector<const NamedTensors::value_type*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, [](const auto* a, const auto* b) {
    return std::pair(-bits(a->second.dtype()), std::string_view(a->first)) <
           std::pair(-bits(b->second.dtype()), std::string_view(b->first));
  });
  return order;
}

std::string make_header(const std::vector<const NamedTensors::value_type*>& order,
                        const Metadata& metadata) {
  std::string header = "{";
  if (!metadata.empty()) header += "\"__metadata__\":" + Json(metadata).dump() + ",";
  uint64_t at = 0;
  for (const auto* item : order) {
    const auto& [tensor_name, tensor] = *item;
    const uint64_t end = at + tensor.bytes().size();
    header += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}},",
                          Json(tensor_name).dump(), name(tensor.dtype()),
                          fmt::join(tensor.shape(), ","), at, end);
    at = end;
  }
  if (header.back() == ',') header.pop_back();
  header += '}';
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return header;
}

void check_writable(const NamedTensors& tensors) {
  check_names(tensors);
  for (const auto& [tensor_name, tensor] : tensors) {
    if (tensor_name == "__metadata__")
      throw usage_error("\"__metadata__\" is no name for a tensor in a safetensors file");
    if (tensor.dtype() == DType::C128)
      throw unsupported_error(
          "tensor \"{}\": safetensors has no dtype for complex doubles; write "
          "a .pth file instead",
          tensor_name);
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata) {
  check_writable(tensors);
  const auto order = data_order(tensors);
  const auto header = make_header(order, metadata);
  const uint64_t length = header.size();
  const auto write = [&](const ByteSink& sink) {
    sink(std::as_bytes(std::span(&length, 1)));
    sink(std::as_bytes(std::span(header)));
    for (const auto* item : order) sink(item->second.bytes());
  };
  write_file_atomically(path, write, [&](const std::filesystem::path& written) {
    check_read_back(written, path, tensors, "", read_safetensors);
  });
}

}  // namespace saccade::checkpoint
