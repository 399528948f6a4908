#include "saccade/ops/op.h"

#include <algorithm>

#include "saccade/ops/context.h"

namespace saccade::ops {
namespace {

const std::vector<const OpInfo*>& table() {
  static const std::vector<const OpInfo*> rows = [] {
    std::vector<const OpInfo*> all;
    for (const auto family :
         {elementwise_ops(), matrix_ops(), normalize_ops(), shape_ops(), spatial_ops()})
      for (const auto& op : family) all.push_back(&op);
    std::ranges::sort(all, {}, [](const OpInfo* op) { return op->op; });
    return all;
  }();
  return rows;
}

bool in_range(int64_t value) { return value >= -kMaxSize && value <= kMaxSize; }

/// What is wrong with a value for that attribute; empty if nothing is.
std::string problem(const AttributeSpec& spec, const Attribute& value) {
  const auto wrong = [&](std::string_view expected) {
    return fmt::format("attribute {}: {} is expected", spec.name, expected);
  };
  switch (spec.kind) {
    case AttributeKind::integer: {
      const auto* number = std::get_if<int64_t>(&value);
      return number && in_range(*number) ? "" : wrong("an integer of 31 bits");
    }
    case AttributeKind::choice: {
      const auto* number = std::get_if<int64_t>(&value);
      const auto count = static_cast<int64_t>(spec.choices.size());
      return number && *number >= 0 && *number < count ? "" : wrong("one of its choices");
    }
    case AttributeKind::real: {
      const auto* number = std::get_if<double>(&value);
      return number && !std::isnan(*number) ? "" : wrong("a number");
    }
    case AttributeKind::integers: {
      const auto* list = std::get_if<std::vector<int64_t>>(&value);
      return list && list->size() <= 2 * kMaxRank && std::ranges::all_of(*list, in_range)
                 ? ""
                 : wrong("a short list of integers of 31 bits");
    }
    case AttributeKind::dims: {
      const auto* dims = std::get_if<Dims>(&value);
      if (!dims) return wrong("a shape");
      const auto reason = type_problem({DType::F32, *dims});
      return reason.empty() ? "" : fmt::format("attribute {}: {}", spec.name, reason);
    }
  }
  return wrong("a known kind");
}

void check_operands(const OpInfo& op, std::span<const Type* const> operands) {
  const size_t least = op.operands.size();
  if (operands.size() < least || (operands.size() > least && !op.variadic))
    throw RuleError(fmt::format("{} operands; {} are expected", operands.size(), least));
  for (size_t i = 0; i < operands.size(); ++i) {
    const auto& spec = op.operands[std::min(i, least - 1)];
    if (!operands[i] && !spec.optional)
      throw RuleError(fmt::format("operand {} ({}) is missing", i, spec.name));
  }
}

}  // namespace

size_t OpInfo::attribute(std::string_view attribute_name) const {
  const auto it = std::ranges::find(attributes, attribute_name, &AttributeSpec::name);
  SACCADE_CHECK(it != attributes.end(), "{} has no attribute {}", name, attribute_name);
  return static_cast<size_t>(it - attributes.begin());
}

const OpInfo* find_op(Op op) {
  const auto it = std::ranges::lower_bound(table(), op, {}, [](const OpInfo* o) { return o->op; });
  return it != table().end() && (*it)->op == op ? *it : nullptr;
}

const OpInfo* find_op(std::string_view name) {
  const auto it = std::ranges::find(table(), name, [](const OpInfo* o) { return o->name; });
  return it == table().end() ? nullptr : *it;
}

const OpInfo& info(Op op) {
  const auto* found = find_op(op);
  SACCADE_CHECK(found, "operator {} is not in the table", static_cast<int>(op));
  return *found;
}

std::vector<const OpInfo*> all_ops() { return table(); }

Attributes complete(const OpInfo& op, const NamedAttributes& given) {
  Attributes out;
  out.reserve(op.attributes.size());
  for (const auto& spec : op.attributes) {
    const auto it = std::ranges::find(given, spec.name, &NamedAttributes::value_type::first);
    if (it != given.end())
      out.push_back(it->second);
    else if (spec.fallback)
      out.push_back(*spec.fallback);
    else
      throw RuleError(fmt::format("attribute {} is missing", spec.name));
  }
  for (const auto& [name, value] : given) static_cast<void>(op.attribute(name));
  return out;
}

Type infer(const OpInfo& op, std::span<const Type* const> operands, const Attributes& attributes) {
  check_operands(op, operands);
  if (attributes.size() != op.attributes.size())
    throw RuleError(
        fmt::format("{} attributes; {} are expected", attributes.size(), op.attributes.size()));
  for (size_t i = 0; i < attributes.size(); ++i)
    if (const auto reason = problem(op.attributes[i], attributes[i]); !reason.empty())
      throw RuleError(reason);
  auto type = op.infer(Rule(op, operands, attributes));
  if (const auto reason = type_problem(type); !reason.empty())
    throw RuleError("the result: " + reason);
  return type;
}

Extents broadcast_strides(const Extents& from, const Extents& to) {
  const Extents own = strides_of(from);
  Extents out;
  out.rank = to.rank;
  const int missing = to.rank - from.rank;
  for (int axis = 0; axis < to.rank; ++axis)
    out[axis] = axis < missing || from[axis - missing] == 1 ? 0 : own[axis - missing];
  return out;
}

}  // namespace saccade::ops
