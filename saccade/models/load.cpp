#include "saccade/models/load.h"

#include <cmath>
#include <map>

#include "saccade/base/error.h"
#include "saccade/base/random.h"
#include "saccade/base/thread_pool.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

/// The first few of a list of problems, one a line.
std::string listing(std::string_view title, const std::vector<std::string>& items) {
  constexpr size_t kShown = 12;
  if (items.empty()) return "";
  std::string text = fmt::format("\n  {} ({}):", title, items.size());
  for (size_t i = 0; i < std::min(items.size(), kShown); ++i) text += "\n    " + items[i];
  if (items.size() > kShown) text += fmt::format("\n    ... and {} more", items.size() - kShown);
  return text;
}

/// u in [0, 1) with 24 bits for element i of the tensor whose name hashes to `hash`.
double formula_uniform(uint64_t hash, int64_t i) {
  const uint64_t z = mix64(hash + (static_cast<uint64_t>(i) + 1) * 0x9E3779B97F4A7C15ull);
  return static_cast<double>(z >> 40) * 0x1p-24;
}

/// offset + scale * u for every element.
HostTensor formula_tensor(std::string_view name, const Shape& shape, double scale, double offset) {
  HostTensor out(DType::F32, shape);
  const auto values = out.fill<float>();
  const uint64_t hash = fnv1a(name);
  parallel_for(std::ssize(values), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      values[static_cast<size_t>(i)] =
          static_cast<float>(offset + scale * formula_uniform(hash, i));
  });
  return out;
}

HostTensor formula_weight(const std::string& name, const Shape& shape) {
  const auto centred = [&](double scale, double middle) {  // middle + scale * (2u - 1)
    return formula_tensor(name, shape, 2 * scale, middle - scale);
  };
  if (name.ends_with("running_var")) return formula_tensor(name, shape, 1.0, 0.5);
  if (shape.size() <= 1) return name.ends_with("weight") ? centred(0.1, 1.0) : centred(0.05, 0.0);
  const auto count = static_cast<double>(*numel(shape));
  return centred(std::sqrt(3.0 * static_cast<double>(shape[0]) / count), 0.0);
}

/// What is wrong with a derived tensor of a file, or "".
std::string difference(const DerivedTensor& derived, const HostTensor& given) {
  if (given.shape() != derived.shape)
    return fmt::format("{}: the file has {}, the model {}", derived.name, to_string(given.shape()),
                       to_string(derived.shape));
  const auto theirs = to_float(given), ours = to_float(derived.value());
  const auto a = theirs.as<float>(), b = ours.as<float>();
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= 1e-5F * std::max(1.0F, std::abs(b[i]))))
      return fmt::format("{}[{}]: the file has {}, the model {}", derived.name, i, a[i], b[i]);
  return "";
}

}  // namespace

void load_state(Model& model, const NamedTensors& state, std::string_view where) {
  std::map<std::string_view, const HostTensor*> given;
  for (const auto& [name, tensor] : state) given[name] = &tensor;
  std::vector<std::string> missing, misshapen, surplus;
  for (const auto& derived : model.derived()) {
    const auto it = given.find(derived.name);
    if (it == given.end()) continue;
    if (auto problem = difference(derived, *it->second); !problem.empty())
      misshapen.push_back(std::move(problem));
    given.erase(it);
  }
  const auto wanted = nn::named_state(model);
  for (const auto& [name, target] : wanted) {
    const auto it = given.find(name);
    if (it == given.end()) {
      missing.push_back(name);
    } else {
      if (it->second->shape() != nn::shape_of(target))
        misshapen.push_back(fmt::format("{}: the file has {}, the model {}", name,
                                        to_string(it->second->shape()),
                                        to_string(nn::shape_of(target))));
      it->second = nullptr;  // used; `state` keeps the tensor
    }
  }
  for (const auto& [name, tensor] : given)
    if (tensor) surplus.emplace_back(name);
  if (!missing.empty() || !misshapen.empty() || !surplus.empty()) {
    const bool same_tensors = missing.empty() && surplus.empty();
    const auto reason = same_tensors ? model.misfit(state) : "";
    throw input_error(where, "the weights do not fit the model; nothing was loaded{}{}{}{}{}",
                      reason.empty() ? "" : "\n  ", reason, listing("missing", missing),
                      listing("of another shape", misshapen), listing("not in the model", surplus));
  }
  const torch::NoGradGuard no_grad;
  for (const auto& [name, target] : wanted) {
    torch::Tensor writable = target;
    writable.copy_(nn::to_torch(*find(state, name)));
  }
}

NamedTensors translate(const std::vector<checkpoint::Dialect>& dialects,
                       const NamedTensors& tensors, std::string_view where, std::string* dialect) {
  for (const auto& candidate : dialects) {
    if (!checkpoint::recognises(candidate, tensors)) continue;
    if (dialect) *dialect = candidate.name;
    return checkpoint::to_official(candidate, tensors, where);
  }
  for (const auto& candidate : dialects)
    if (const auto stray = checkpoint::stray_name(candidate, tensors); !stray.empty())
      throw input_error(where,
                        "{} is a name of the \"{}\" convention among others: the file mixes two "
                        "conventions; convert its sources to one of them first",
                        stray, candidate.name);
  if (dialect) *dialect = "official";
  return tensors;
}

NamedTensors with_derived(NamedTensors state, const Model& model,
                          const checkpoint::Dialect& dialect) {
  for (const auto& derived : model.derived())
    if (checkpoint::stores(dialect, derived.name))
      state.emplace_back(derived.name, derived.value());
  return state;
}

void fill_by_formula(Model& model) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : nn::named_state(model)) {
    if (!tensor.is_floating_point()) continue;
    torch::Tensor writable = tensor;
    writable.copy_(nn::to_torch(formula_weight(name, nn::shape_of(tensor))));
  }
}

HostTensor formula_input(std::string_view name, const Shape& shape) {
  return formula_tensor(name, shape, 4.0, -2.0);
}

}  // namespace saccade::models
