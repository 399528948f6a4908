#include "saccade/trace/lower.h"

#include <algorithm>
#include <numeric>

#include "saccade/base/check.h"
#include "saccade/nn/host.h"

namespace saccade::trace {
namespace {

using plan::ValueId;

constexpr ValueId kUnknown = -2;

const Rule* find_rule(std::string_view op) {
  for (const auto rules : {math_rules(), shape_rules()})
    for (const auto& rule : rules)
      if (rule.op == op) return &rule;
  return nullptr;
}

/// "aten::add_" -> "add"
std::string_view plain_name(std::string_view op) {
  if (op.starts_with("aten::")) op.remove_prefix(6);
  if (op.ends_with("_") && !op.ends_with("__")) op.remove_suffix(1);
  return op;
}

void put(std::vector<ValueId>& list, int32_t place, ValueId id) {
  const auto index = static_cast<size_t>(place);
  if (index >= list.size()) list.resize(index + 1, kUnknown);
  list[index] = id;
}

}  // namespace

plan::Graph Lowering::run() {
  const auto& first = runs_.first();
  for (size_t i = 0; i < first.inputs.size(); ++i) {
    const auto& [name, use] = first.inputs[i];
    put(traced_, use.value, graph_.add_input(name, {DType::F32, runs_.input_dims(i)}));
  }
  for (current_ = 0; current_ < first.events.size(); ++current_) {
    const auto* rule = find_rule(plain_name(event().op));
    if (!rule) throw refuse("is an operator that the compiler does not know");
    rule->lower(*this);
    for (size_t r = 0; r < event().results.size(); ++r) {
      const ValueId id = traced_.at(static_cast<size_t>(event().results[r].value));
      SACCADE_CHECK(dims(id) == result_dims(r), "{} gives {}, lowered to {}", event().op,
                    to_string(result_dims(r)), to_string(dims(id)));
    }
  }
  for (const auto& [name, use] : first.outputs) graph_.add_output(name, resolve(use));
  return std::move(graph_);
}

bool Lowering::has(size_t argument) const {
  if (argument >= count()) return false;
  const auto& given = event().arguments[argument];
  if (const auto* use = std::get_if<Use>(&given)) return !use->absent();
  return !std::holds_alternative<std::monostate>(given);
}

std::string Lowering::path() const { return current_ < runs_.size() ? event().path : ""; }

const Argument& Lowering::fixed(size_t argument) const {
  if (argument >= count()) throw refuse("has fewer arguments than expected");
  return runs_.fixed(current_, argument);
}

ValueId Lowering::resolve(const Use& use) {
  if (use.value >= 0) return traced_.at(static_cast<size_t>(use.value));
  SACCADE_CHECK(use.leaf >= 0, "an absent tensor is used");
  const auto index = static_cast<size_t>(use.leaf);
  if (index < leaves_.size() && leaves_[index] != kUnknown) return leaves_[index];
  put(leaves_, use.leaf, add_constant(use));
  return leaves_[index];
}

ValueId Lowering::add_constant(const Use& use) {
  const auto module = path();
  const auto constant = runs_.constant(use.leaf, module);
  auto tensor = constant.tensor;
  if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat);
  if (!tensor.is_floating_point() && tensor.scalar_type() != at::kBool)
    tensor = tensor.to(at::kLong);
  const ValueId id = graph_.add_constant(
      plan::make_constant(constant.name, nn::to_host(tensor.contiguous())), module);
  return has_batch(constant.dims) ? repeat(id, constant.dims) : id;
}

/// [.., k, ..] -> [.., 1, k, ..] -> [.., N, k, ..] -> [.., kN, ..]
ValueId Lowering::repeat(ValueId id, const ops::Dims& dims) {
  const auto axis = std::ranges::find(dims, true, &ops::Dim::batch) - dims.begin();
  auto apart = this->dims(id);
  apart.insert(apart.begin() + axis, ops::Dim{});
  auto full = apart;
  full[static_cast<size_t>(axis)] = {1, true};
  const auto expanded = graph_.add(ops::Op::expand, {reshape(id, apart)}, {{"shape", full}});
  return reshape(expanded, dims);
}

ValueId Lowering::value(size_t argument) {
  if (argument >= count()) throw refuse("has fewer arguments than expected");
  if (const auto* use = std::get_if<Use>(&event().arguments[argument])) return resolve(*use);
  return scalar(real(argument));
}

ValueId Lowering::optional_value(size_t argument) {
  return has(argument) ? value(argument) : plan::kAbsent;
}

std::vector<ValueId> Lowering::values(size_t argument) {
  const auto* uses = std::get_if<std::vector<Use>>(&event().arguments.at(argument));
  if (!uses) throw refuse("has no list of tensors");
  std::vector<ValueId> ids;
  for (const auto& use : *uses) ids.push_back(use.absent() ? plan::kAbsent : resolve(use));
  return ids;
}

int64_t Lowering::integer(size_t argument) const {
  const auto* number = std::get_if<int64_t>(&fixed(argument));
  if (!number) throw refuse("has no integer where one is expected");
  return *number;
}

double Lowering::real(size_t argument) const {
  const auto& given = fixed(argument);
  if (const auto* number = std::get_if<double>(&given)) return *number;
  if (const auto* number = std::get_if<int64_t>(&given)) return static_cast<double>(*number);
  if (const auto* flag = std::get_if<bool>(&given)) return *flag ? 1.0 : 0.0;
  throw refuse("has no number where one is expected");
}

bool Lowering::flag(size_t argument) const { return has(argument) && real(argument) != 0.0; }

std::string Lowering::text(size_t argument) const {
  const auto* text = std::get_if<std::string>(&fixed(argument));
  return text ? *text : "";
}

bool Lowering::is_list(size_t argument) const {
  return std::holds_alternative<std::vector<int64_t>>(event().arguments.at(argument));
}

const std::vector<int64_t>& Lowering::integers(size_t argument) const {
  const auto* list = std::get_if<std::vector<int64_t>>(&fixed(argument));
  if (!list) throw refuse("has no list of integers where one is expected");
  return *list;
}

std::vector<int64_t> Lowering::pair(size_t argument) const {
  const auto& list = integers(argument);
  if (list.size() == 1) return {list[0], list[0]};
  if (list.size() != 2) throw refuse("is supported in two dimensions only");
  return list;
}

int64_t Lowering::axis_of(int64_t axis, size_t rank) const {
  const auto size = static_cast<int64_t>(rank);
  if (axis < -size || axis >= size) throw refuse("has an axis that does not exist");
  return axis < 0 ? axis + size : axis;
}

int64_t Lowering::axis(size_t argument, size_t rank) const {
  return axis_of(integer(argument), rank);
}

std::vector<int64_t> Lowering::all_axes(size_t rank) {
  std::vector<int64_t> out(rank);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

std::vector<int64_t> Lowering::axes(size_t argument, size_t rank) const {
  if (!has(argument)) return all_axes(rank);
  std::vector<int64_t> out;
  if (is_list(argument))
    for (const int64_t one : integers(argument)) out.push_back(axis_of(one, rank));
  else
    out.push_back(axis(argument, rank));
  return out;
}

ops::Dims Lowering::result_dims(size_t result) const { return runs_.result_dims(current_, result); }

bool Lowering::result_is_float() const { return at::isFloatingType(event().results.at(0).dtype); }

ValueId Lowering::add(ops::Op op, std::vector<ValueId> operands,
                      const ops::NamedAttributes& attributes) {
  return graph_.add(op, std::move(operands), attributes, path());
}

void Lowering::give(ValueId id, size_t result) {
  put(traced_, event().results.at(result).value, id);
}

ValueId Lowering::scalar(double number) {
  HostTensor tensor(DType::F32, {});
  tensor.fill<float>()[0] = static_cast<float>(number);
  return graph_.add_constant(plan::make_constant("", tensor), path());
}

ValueId Lowering::floats(ValueId id) {
  return dtype(id) == DType::F32 ? id : add(ops::Op::cast, {id}, {{"dtype", int64_t{0}}});
}

ValueId Lowering::reshape(ValueId id, const ops::Dims& shape) {
  return dims(id) == shape ? id : add(ops::Op::reshape, {id}, {{"shape", shape}});
}

ValueId Lowering::permute(ValueId id, std::vector<int64_t> axes) {
  return add(ops::Op::permute, {id}, {{"axes", std::move(axes)}});
}

ValueId Lowering::slice(ValueId id, int64_t axis, int64_t start, int64_t end, int64_t step) {
  const auto& dim = dims(id)[static_cast<size_t>(axis)];
  if (start == 0 && step == 1 && (dim.batch || end == dim.size)) return id;
  return add(ops::Op::slice, {id},
             {{"axis", axis}, {"start", start}, {"end", end}, {"step", step}});
}

ValueId Lowering::concat(std::vector<ValueId> ids, int64_t axis) {
  return ids.size() == 1 ? ids[0] : add(ops::Op::concat, std::move(ids), {{"axis", axis}});
}

Error Lowering::refuse(std::string_view why) const {
  return unsupported_error("{}: {} {}", path().empty() ? "the model" : path(), event().op, why);
}

}  // namespace saccade::trace
