#include "saccade/trace/align.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/error.h"
#include "saccade/nn/host.h"

namespace saccade::trace {
namespace {

Error differs(const std::string& path, std::string_view what) {
  return unsupported_error(
      "{}: {} changes with the input; only what follows from sizes can be compiled",
      path.empty() ? "the model" : path, what);
}

bool same_use(const Use& a, const Use& b) {
  return a.value == b.value && a.leaf == b.leaf && a.dtype == b.dtype &&
         a.shape.size() == b.shape.size();
}

/// Numbers of the same kind; sizes in lists may grow with the batch and are judged by the shapes of
/// the results.
bool same_argument(const Argument& a, const Argument& b) {
  if (a.index() != b.index()) return false;
  if (const auto* use = std::get_if<Use>(&a)) return same_use(*use, std::get<Use>(b));
  if (const auto* uses = std::get_if<std::vector<Use>>(&a))
    return std::ranges::equal(*uses, std::get<std::vector<Use>>(b), same_use);
  if (const auto* list = std::get_if<std::vector<int64_t>>(&a))
    return list->size() == std::get<std::vector<int64_t>>(b).size();
  if (const auto* number = std::get_if<double>(&a)) {
    const double other = std::get<double>(b);
    return *number == other || (std::isnan(*number) && std::isnan(other));
  }
  if (std::holds_alternative<int64_t>(a)) return true;
  if (const auto* flag = std::get_if<bool>(&a)) return *flag == std::get<bool>(b);
  if (const auto* text = std::get_if<std::string>(&a)) return *text == std::get<std::string>(b);
  if (const auto* reals = std::get_if<std::vector<double>>(&a))
    return *reals == std::get<std::vector<double>>(b);
  return true;
}

bool same_fixed(const Argument& a, const Argument& b) {
  if (const auto* number = std::get_if<int64_t>(&a)) return *number == std::get<int64_t>(b);
  if (const auto* list = std::get_if<std::vector<int64_t>>(&a))
    return *list == std::get<std::vector<int64_t>>(b);
  return true;
}

}  // namespace

Alignment::Alignment(std::array<Run, 3> runs) : runs_(std::move(runs)) {
  for (size_t i = 0; i < size(); ++i) check_event(i);
  for (const auto& run : runs_)
    if (run.events.size() != size() || run.outputs.size() != first().outputs.size())
      throw differs("", "the number of operators");
  for (size_t i = 0; i < first().outputs.size(); ++i)
    for (const auto& run : runs_)
      if (!same_use(run.outputs[i].second, first().outputs[i].second))
        throw differs("", "the output " + first().outputs[i].first);
}

void Alignment::check_event(size_t index) const {
  const auto& a = first().events[index];
  for (const auto& run : runs_) {
    if (index >= run.events.size()) throw differs(a.path, "the sequence of operators");
    const auto& b = run.events[index];
    if (b.op != a.op || b.path != a.path || b.arguments.size() != a.arguments.size() ||
        b.results.size() != a.results.size())
      throw differs(a.path, "the sequence of operators");
    for (size_t i = 0; i < a.arguments.size(); ++i)
      if (!same_argument(a.arguments[i], b.arguments[i]))
        throw differs(a.path, fmt::format("argument {} of {}", i, a.op));
  }
}

ops::Dims Alignment::dims(const std::array<const Shape*, 3>& shapes,
                          const std::string& path) const {
  ops::Dims out;
  for (size_t d = 0; d < shapes[0]->size(); ++d) {
    const auto size = [&](size_t run) { return (*shapes[run])[d]; };
    const auto all = [&](auto holds) { return holds(0) && holds(1) && holds(2); };
    const int64_t each = size(0) / runs_[0].batch;
    if (all([&](size_t r) { return size(r) == size(0); }))
      out.push_back({size(0), false});
    else if (all([&](size_t r) { return size(r) == each * runs_[r].batch; }))
      out.push_back({each, true});
    else
      throw differs(path, fmt::format("a size ({}, {}, {})", size(0), size(1), size(2)));
  }
  return out;
}

ops::Dims Alignment::result_dims(size_t event, size_t result) const {
  std::array<const Shape*, 3> shapes{};
  for (size_t r = 0; r < 3; ++r) shapes[r] = &runs_[r].events[event].results[result].shape;
  return dims(shapes, first().events[event].path);
}

ops::Dims Alignment::input_dims(size_t input) const {
  std::array<const Shape*, 3> shapes{};
  for (size_t r = 0; r < 3; ++r) shapes[r] = &runs_[r].inputs[input].second.shape;
  return dims(shapes, "the inputs");
}

const Argument& Alignment::fixed(size_t event, size_t argument) const {
  const auto& a = first().events[event];
  for (const auto& run : runs_)
    if (!same_fixed(a.arguments[argument], run.events[event].arguments[argument]))
      throw differs(a.path, fmt::format("argument {} of {}", argument, a.op));
  return a.arguments[argument];
}

Alignment::Constant Alignment::constant(int32_t leaf, const std::string& path) const {
  const auto index = static_cast<size_t>(leaf);
  std::array<Shape, 3> shapes;
  for (size_t r = 0; r < 3; ++r) shapes[r] = nn::shape_of(runs_[r].leaves[index].tensor);
  Constant out{first().leaves[index].tensor, {}, first().leaves[index].name};
  for (const auto& shape : shapes)
    if (shape.size() != shapes[0].size()) throw differs(path, "a constant");
  out.dims = dims({&shapes[0], &shapes[1], &shapes[2]}, path);
  std::array<at::Tensor, 3> tensors;
  for (size_t r = 0; r < 3; ++r) {
    tensors[r] = runs_[r].leaves[index].tensor;
    for (size_t d = 0; d < out.dims.size(); ++d) {
      if (!out.dims[d].batch) continue;
      const auto one = tensors[r].narrow(static_cast<int64_t>(d), 0, out.dims[d].size);
      std::vector<int64_t> times(out.dims.size(), 1);
      times[d] = runs_[r].batch;
      if (!at::equal(one.repeat(times), tensors[r])) throw differs(path, "a constant");
      tensors[r] = one;
    }
  }
  // A NaN may stand in a constant, so bits are compared where equal() says no.
  for (size_t r = 1; r < 3; ++r)
    if (!tensors[r].is_same(tensors[0]) && !at::equal(tensors[r], tensors[0]) &&
        !std::ranges::equal(nn::to_host(tensors[r]).bytes(), nn::to_host(tensors[0]).bytes()))
      throw differs(path, "a constant");
  out.tensor = tensors[0];
  return out;
}

}  // namespace saccade::trace
