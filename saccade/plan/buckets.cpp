#include <fmt/format.h>
#include <algorithm>

#include "saccade/plan/constant_pool.h"
#include "saccade/plan/plan.h"

namespace saccade::plan {
namespace {

template <class P>
auto all_buckets(P& plan) {
  using Member = std::conditional_t<std::is_const_v<P>, const Bucket*, Bucket*>;
  std::vector<Member> out = {&plan};
  for (auto& other : plan.others) out.push_back(&other);
  return out;
}

/// Name and type of every input.
std::vector<std::pair<std::string, ops::Type>> inputs_of(const Graph& graph) {
  std::vector<std::pair<std::string, ops::Type>> out;
  for (const auto& value : graph.values)
    if (value.kind == ValueKind::input) out.emplace_back(value.name, value.type);
  return out;
}

std::vector<std::pair<std::string, ops::Type>> outputs_of(const Graph& graph) {
  std::vector<std::pair<std::string, ops::Type>> out;
  for (const auto& output : graph.outputs)
    out.emplace_back(output.name, graph.value(output.value).type);
  return out;
}

/// Equal but for the sizes.
template <class Named>
bool alike(const Named& a, const Named& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.dtype == y.second.dtype &&
           x.second.dims.size() == y.second.dims.size();
  });
}

std::string find_difference(const std::vector<const Bucket*>& all) {
  const auto outputs = outputs_of(all[0]->graph);
  std::vector<std::vector<std::pair<std::string, ops::Type>>> sizes;
  for (size_t i = 0; i < all.size(); ++i) {
    auto inputs = inputs_of(all[i]->graph);
    if (i > 0 && (!alike(inputs, sizes[0]) || !alike(outputs_of(all[i]->graph), outputs)))
      return fmt::format("size {}: other inputs or outputs than size 0 has", i);
    if (std::ranges::find(sizes, inputs) != sizes.end())
      return fmt::format("size {}: its inputs have the sizes of another one", i);
    sizes.push_back(std::move(inputs));
  }
  return "";
}

}  // namespace

std::vector<const Bucket*> buckets(const Plan& plan) { return all_buckets(plan); }
std::vector<Bucket*> buckets(Plan& plan) { return all_buckets(plan); }

std::optional<std::pair<int64_t, int64_t>> picture_size(const Graph& graph) {
  const auto inputs = inputs_of(graph);
  if (inputs.empty() || inputs[0].second.dims.size() != 4) return std::nullopt;
  const auto& dims = inputs[0].second.dims;
  if (dims[2].batch || dims[3].batch) return std::nullopt;
  return std::pair(dims[2].size, dims[3].size);
}

void share_constants(Plan& plan) {
  ConstantPool pool;
  for (auto* bucket : buckets(plan))
    for (auto& constant : bucket->graph.constants)
      constant = pool.all()[static_cast<size_t>(pool.add(constant))];
}

std::string find_problem(const Plan& plan) {
  const auto all = buckets(plan);
  for (size_t i = 0; i < all.size(); ++i)
    if (auto problem = find_problem(all[i]->graph); !problem.empty())
      return all.size() == 1 ? problem : fmt::format("size {}: {}", i, problem);
  return find_difference(all);
}

}  // namespace saccade::plan
