#include "saccade/tasks/batch.h"

#include <algorithm>
#include <cstring>

#include "saccade/base/check.h"

namespace saccade::tasks {
namespace {

HostTensor logits_of(const NamedTensors& outputs, int64_t batch) {
  if (const auto* logits = find(outputs, "logits")) {
    if (logits->shape().size() != 2 || logits->shape()[0] != batch)
      throw unsupported_error(
          "the model is no classifier of pictures: it gives logits {} for {} of them",
          to_string(logits->shape()), batch);
    return to_float(*logits);
  }
  std::vector<std::string_view> names;
  for (const auto& [name, tensor] : outputs) names.push_back(name);
  throw unsupported_error("the model is no classifier: it gives {}, not logits",
                          fmt::join(names, ", "));
}

/// Rows one after the other.
HostTensor concatenate(std::span<const HostTensor> parts) {
  auto shape = parts.front().shape();
  shape[0] = 0;
  for (const auto& part : parts) {
    SACCADE_CHECK(part.shape()[1] == shape[1], "{} and {} classes", part.shape()[1], shape[1]);
    shape[0] += part.shape()[0];
  }
  HostTensor whole(parts.front().dtype(), shape);
  auto out = whole.fill<float>().begin();
  for (const auto& part : parts) out = std::ranges::copy(part.as<float>(), out).out;
  return whole;
}

}  // namespace

HostTensor stack(std::span<const HostTensor> tensors) {
  SACCADE_CHECK(!tensors.empty(), "nothing to stack");
  const auto& first = tensors.front();
  Shape shape{static_cast<int64_t>(tensors.size())};
  shape.insert(shape.end(), first.shape().begin(), first.shape().end());
  HostTensor batch(first.dtype(), shape);
  auto* to = const_cast<std::byte*>(batch.bytes().data());
  for (const auto& tensor : tensors) {
    SACCADE_CHECK(tensor.dtype() == first.dtype() && tensor.shape() == first.shape(),
                  "{} beside {}", to_string(tensor.shape()), to_string(first.shape()));
    std::memcpy(to, tensor.bytes().data(), tensor.bytes().size());
    to += tensor.bytes().size();
  }
  return batch;
}

HostTensor run_logits(Engine& engine, std::span<const HostTensor> pictures) {
  SACCADE_CHECK(!pictures.empty(), "no pictures");
  std::vector<HostTensor> parts;
  for (size_t begin = 0; begin < pictures.size();) {
    size_t end = begin + 1;
    while (end < pictures.size() && pictures[end].shape() == pictures[begin].shape()) ++end;
    const auto group = pictures.subspan(begin, end - begin);
    parts.push_back(
        logits_of(engine.run({{"images", stack(group)}}), static_cast<int64_t>(group.size())));
    begin = end;
  }
  return parts.size() == 1 ? parts.front() : concatenate(parts);
}

}  // namespace saccade::tasks
