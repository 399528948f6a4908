#include "apps/cli/tensor_file.h"

#include "saccade/base/error.h"
#include "saccade/base/suggest.h"
#include "saccade/checkpoint/checkpoint.h"

namespace saccade::cli {
namespace {

bool is_usual(std::string_view name, std::string_view usual) {
  return name == usual || (name.ends_with(usual) && name[name.size() - usual.size() - 1] == '.');
}

}  // namespace

HostTensor read_tensor(const std::filesystem::path& path, const std::string& key,
                       std::string_view usual) {
  const auto file = checkpoint::Checkpoint::open(path);
  const auto& entries = file.entries();
  std::vector<std::string> names;
  const checkpoint::Entry* chosen = nullptr;
  int fitting = 0;
  for (const auto& entry : entries) {
    names.push_back(entry.name.value_or(entry.path));
    const bool fits =
        key.empty() ? entries.size() == 1 || is_usual(names.back(), usual) : names.back() == key;
    if (!fits) continue;
    chosen = &entry;
    ++fitting;
  }
  if (fitting == 1) return contiguous(chosen->view, chosen->owner);
  if (!key.empty())
    throw usage_error("{}: holds no tensor \"{}\"{}", path.string(), key, did_you_mean(key, names));
  const auto shown = std::span(names).first(std::min<size_t>(names.size(), 12));
  throw usage_error("{}: {} of its tensors could be the {}; name one with --{}-key ({}{})",
                    path.string(), fitting == 0 ? "none" : "several", usual, usual,
                    fmt::join(shown, ", "), shown.size() < names.size() ? ", ..." : "");
}

std::vector<int64_t> to_integers(const HostTensor& tensor, std::string_view where) {
  switch (tensor.dtype()) {
    case DType::I64: {
      const auto values = tensor.as<int64_t>();
      return {values.begin(), values.end()};
    }
    case DType::U8:
    case DType::I8:
    case DType::I16:
    case DType::U16:
    case DType::I32:
    case DType::U32: {  // exact up to 2^24, far above any class number
      const auto numbers = to_float(tensor);
      const auto values = numbers.as<float>();
      return {values.begin(), values.end()};
    }
    default:
      throw input_error(where, "whole numbers were expected, it holds {}", name(tensor.dtype()));
  }
}

}  // namespace saccade::cli
