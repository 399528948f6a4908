// Operators that only move numbers: views, copies, gathers.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "saccade/ops/context.h"

namespace saccade::ops {
namespace {

Type infer_reshape(const Rule& rule) {
  Type out{rule.operand(0).dtype, rule.dims("shape")};
  rule.require(elements(out.dims) == elements(rule.shape(0)) &&
                   has_batch(out.dims) == has_batch(rule.shape(0)),
               "{} cannot be read as {}", to_string(rule.operand(0)), to_string(out.dims));
  return out;
}

void copy_all(const Call& call) {
  const auto& to = call.result();
  std::memcpy(to.data, call.operand(0).data,
              static_cast<size_t>(to.shape.count() * bytes(to.dtype)));
}

/// Moves elements of 1, 4 or 8 bytes: move(T* to, const T* from).
template <class Move>
void with_element(DType dtype, Move move) {
  switch (bytes(dtype)) {
    case 1: move(uint8_t{}); break;
    case 4: move(uint32_t{}); break;
    case 8: move(uint64_t{}); break;
    default: SACCADE_CHECK(false, "{} cannot be moved", name(dtype));
  }
}

/// result[i] = operand[base + strides * index(i)]
void read_strided(const Call& call, const Extents& strides, int64_t base) {
  with_element(call.result().dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = call.operand(0).as<T>() + base;
    T* to = call.result().as<T>();
    walk<1>(call.result().shape, {strides},
            [&](int64_t i, const auto& at, const auto&) { to[i] = from[at[0]]; });
  });
}

/// result[base + strides * index(i)] = operand[i]
void write_strided(const Call& call, const Operand& operand, const Extents& strides, int64_t base) {
  with_element(operand.dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = operand.as<T>();
    T* to = call.result().as<T>() + base;
    walk<1>(operand.shape, {strides},
            [&](int64_t i, const auto& at, const auto&) { to[at[0]] = from[i]; });
  });
}

Type infer_permute(const Rule& rule) {
  const auto& order = rule.integers("axes");
  const auto& dims = rule.shape(0);
  auto sorted = order;
  std::ranges::sort(sorted);
  std::vector<int64_t> expected(dims.size());
  std::iota(expected.begin(), expected.end(), 0);
  rule.require(sorted == expected, "axes are no permutation of {} dimensions", dims.size());
  Type out{rule.operand(0).dtype, {}};
  for (const int64_t axis : order) out.dims.push_back(dims[static_cast<size_t>(axis)]);
  return out;
}

void permute(const Call& call) {
  const Extents own = strides_of(call.shape(0));
  Extents strides = own;
  int to = 0;
  for (const int64_t axis : call.integers("axes")) strides[to++] = own[static_cast<int>(axis)];
  read_strided(call, strides, 0);
}

Type infer_slice(const Rule& rule) {
  auto out = rule.operand(0);
  auto& dim = out.dims[rule.axis(rule.integer("axis"), out.dims.size())];
  const int64_t start = rule.integer("start"), end = rule.integer("end");
  const int64_t step = rule.integer("step");
  rule.require(!dim.batch, "a dimension with N cannot be sliced");
  rule.require(start >= 0 && start < end && end <= dim.size && step >= 1,
               "slice {}:{}:{} of a dimension of {}", start, end, step, dim.size);
  dim.size = (end - start + step - 1) / step;
  return out;
}

void slice(const Call& call) {
  const auto axis = static_cast<int>(call.integer("axis"));
  Extents strides = strides_of(call.shape(0));
  const int64_t base = call.integer("start") * strides[axis];
  strides[axis] *= call.integer("step");
  read_strided(call, strides, base);
}

Type infer_concat(const Rule& rule) {
  auto out = rule.operand(0);
  const size_t axis = rule.axis(rule.integer("axis"), out.dims.size());
  auto& dim = out.dims[axis];
  for (size_t i = 1; i < rule.count(); ++i) {
    const auto& next = rule.operand(i);
    rule.require(next.dtype == out.dtype && next.dims.size() == out.dims.size(),
                 "operand {} is {}; it does not go with {}", i, to_string(next),
                 to_string(rule.operand(0)));
    for (size_t d = 0; d < out.dims.size(); ++d)
      rule.require(d == axis ? next.dims[d].batch == dim.batch : next.dims[d] == out.dims[d],
                   "operand {} is {}; it does not go with {}", i, to_string(next),
                   to_string(rule.operand(0)));
    dim.size += next.dims[axis].size;
    rule.require(dim.size <= kMaxSize, "the result is too large");
  }
  return out;
}

void concat(const Call& call) {
  const auto axis = static_cast<int>(call.integer("axis"));
  const Extents strides = strides_of(call.result().shape);
  int64_t base = 0;
  for (size_t i = 0; i < call.count(); ++i) {
    write_strided(call, call.operand(i), strides, base * strides[axis]);
    base += call.shape(i)[axis];
  }
}

Type infer_pad(const Rule& rule) {
  auto out = rule.operand(0);
  const auto &before = rule.integers("before"), &after = rule.integers("after");
  rule.require_float(0);
  rule.require(before.size() == out.dims.size() && after.size() == out.dims.size(),
               "pads of {} and {} dimensions for {}", before.size(), after.size(), to_string(out));
  for (size_t i = 0; i < out.dims.size(); ++i) {
    rule.require(before[i] >= 0 && after[i] >= 0, "a pad is negative");
    rule.require(!out.dims[i].batch || before[i] + after[i] == 0, "N cannot be padded");
    out.dims[i].size += before[i] + after[i];
  }
  return out;
}

void pad(const Call& call) {
  const auto& shape = call.result().shape;
  std::fill_n(call.floats(), shape.count(), static_cast<float>(call.real("value")));
  const Extents strides = strides_of(shape);
  int64_t base = 0;
  int axis = 0;
  for (const int64_t before : call.integers("before")) base += before * strides[axis++];
  write_strided(call, call.operand(0), strides, base);
}

Type infer_roll(const Rule& rule) {
  const auto &shifts = rule.integers("shifts"), &axes = rule.integers("axes");
  rule.require(shifts.size() == axes.size(), "{} shifts for {} axes", shifts.size(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto& dim = rule.shape(0)[rule.axis(axes[i], rule.shape(0).size())];
    rule.require(!dim.batch, "a dimension with N cannot be rolled");
    rule.require(shifts[i] >= 0 && shifts[i] < dim.size, "a shift of {} on {}", shifts[i],
                 dim.size);
    rule.require(std::ranges::count(axes, axes[i]) == 1, "axis {} twice", axes[i]);
  }
  return rule.operand(0);
}

void roll(const Call& call) {
  const auto& shape = call.shape(0);
  const Extents strides = strides_of(shape);
  std::array<int64_t, kMaxRank> shift{};
  const auto &shifts = call.integers("shifts"), &axes = call.integers("axes");
  for (size_t i = 0; i < axes.size(); ++i) shift[static_cast<size_t>(axes[i])] = shifts[i];
  with_element(call.result().dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = call.operand(0).as<T>();
    T* to = call.result().as<T>();
    walk<0>(shape, {}, [&](int64_t i, const auto&, const auto& index) {
      int64_t place = 0;
      for (int axis = 0; axis < shape.rank; ++axis) {
        const auto a = static_cast<size_t>(axis);
        place += (index[a] + shift[a]) % shape[axis] * strides[axis];
      }
      to[place] = from[i];
    });
  });
}

Type infer_expand(const Rule& rule) {
  const auto& from = rule.shape(0);
  Type out{rule.operand(0).dtype, rule.dims("shape")};
  rule.require(out.dims.size() >= from.size(), "{} cannot be expanded to {}", to_string(from),
               to_string(out.dims));
  const size_t missing = out.dims.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i)
    rule.require(from[i] == Dim{} || from[i] == out.dims[missing + i],
                 "{} cannot be expanded to {}", to_string(from), to_string(out.dims));
  return out;
}

void expand(const Call& call) {
  read_strided(call, broadcast_strides(call.shape(0), call.result().shape), 0);
}

Type infer_gather(const Rule& rule) {
  auto out = rule.operand(0);
  const size_t axis = rule.axis(rule.integer("axis"), out.dims.size());
  const auto& index = rule.operand(1);
  rule.require(index.dtype == DType::I64 && index.dims.size() == 1,
               "the index is {}; a list of I64 is expected", to_string(index));
  rule.require(!out.dims[axis].batch, "a dimension with N cannot be gathered from");
  out.dims[axis] = index.dims[0];
  return out;
}

/// Rows along the axis by number. The plan's verifier has checked constant indices; an index that
/// is computed and lies outside gives zeros.
void gather(const Call& call) {
  const auto axis = static_cast<int>(call.integer("axis"));
  const auto& shape = call.shape(0);
  const int64_t outer = shape.product(0, axis), count = call.shape(1).count();
  const auto row =
      static_cast<size_t>(shape.product(axis + 1, shape.rank) * bytes(call.result().dtype));
  std::byte* to = call.result().data;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < count; ++i, to += row) {
      const int64_t from = call.operand(1).as<int64_t>()[i];
      if (from < 0 || from >= shape[axis])
        std::memset(to, 0, row);
      else
        std::memcpy(to, call.operand(0).data + static_cast<size_t>(o * shape[axis] + from) * row,
                    row);
    }
}

/// Writes the second operand over the first, which is a view of another value. The result is the
/// new first operand; what else saw the old one is the business of the pass `functionalize`.
Type infer_assign(const Rule& rule) {
  rule.require_type(1, rule.operand(0));
  return rule.operand(0);
}

void assign(const Call& call) {
  const auto& to = call.result();
  std::memcpy(to.data, call.operand(1).data,
              static_cast<size_t>(to.shape.count() * bytes(to.dtype)));
}

}  // namespace

std::span<const OpInfo> shape_ops() {
  using enum AttributeKind;
  static const std::vector<OpInfo> ops = {
      {Op::reshape, "reshape", {{"x"}}, {{"shape", dims}}, infer_reshape, copy_all},
      {Op::permute, "permute", {{"x"}}, {{"axes", integers}}, infer_permute, permute},
      {Op::slice,
       "slice",
       {{"x"}},
       {{"axis", integer}, {"start", integer}, {"end", integer}, {"step", integer, int64_t{1}}},
       infer_slice,
       slice},
      {Op::concat, "concat", {{"x"}}, {{"axis", integer}}, infer_concat, concat, true},
      {Op::pad,
       "pad",
       {{"x"}},
       {{"before", integers}, {"after", integers}, {"value", real, 0.0}},
       infer_pad,
       pad},
      {Op::roll, "roll", {{"x"}}, {{"shifts", integers}, {"axes", integers}}, infer_roll, roll},
      {Op::expand, "expand", {{"x"}}, {{"shape", dims}}, infer_expand, expand},
      {Op::gather, "gather", {{"x"}, {"index"}}, {{"axis", integer}}, infer_gather, gather},
      {Op::assign, "assign", {{"x"}, {"value"}}, {}, infer_assign, assign, false, false},
  };
  return ops;
}

}  // namespace saccade::ops
