#include <algorithm>

#include "saccade/trace/lower.h"

namespace saccade::trace {
namespace {

using ops::Op, plan::ValueId;

/// The same numbers under the result's shape, whatever the operator is called.
void reshape(Lowering& in) { in.give(in.reshape(in.value(0), in.result_dims())); }

void identity(Lowering& in) { in.give(in.value(0)); }

void dropout(Lowering& in) {
  if (in.flag(2)) throw in.refuse("is supported in evaluation only");
  identity(in);
}

/// to(dtype): floats stay floats, integers become floats where the result is.
void convert(Lowering& in) {
  const auto x = in.value(0);
  if (in.result_is_float()) return in.give(in.floats(x));
  if (in.dtype(x) == DType::F32) throw in.refuse("from numbers to integers is not supported");
  in.give(x);
}

std::vector<int64_t> swapped(size_t rank, int64_t a, int64_t b) {
  auto axes = Lowering::all_axes(rank);
  std::swap(axes[static_cast<size_t>(a)], axes[static_cast<size_t>(b)]);
  return axes;
}

void transpose(Lowering& in) {
  const auto x = in.value(0);
  const auto rank = in.dims(x).size();
  in.give(in.permute(x, swapped(rank, in.axis(1, rank), in.axis(2, rank))));
}

void t(Lowering& in) {
  const auto x = in.value(0);
  in.give(in.dims(x).size() < 2 ? x : in.permute(x, {1, 0}));
}

void permute(Lowering& in) {
  const auto x = in.value(0);
  in.give(in.permute(x, in.axes(1, in.dims(x).size())));
}

void select(Lowering& in) {
  const auto x = in.value(0);
  const auto axis = in.axis(1, in.dims(x).size());
  const auto& dim = in.dims(x)[static_cast<size_t>(axis)];
  if (dim.batch) throw in.refuse("takes one picture of the batch, which mixes pictures");
  const int64_t index = in.integer(2) < 0 ? in.integer(2) + dim.size : in.integer(2);
  in.give(in.reshape(in.slice(x, axis, index, index + 1), in.result_dims()));
}

/// A bound of a slice as PyTorch reads it: from the back if negative, clamped.
int64_t bound(int64_t given, int64_t size) {
  return std::clamp<int64_t>(given < 0 ? given + size : given, 0, size);
}

void slice(Lowering& in) {
  const auto x = in.value(0);
  const auto axis = in.has(1) ? in.axis(1, in.dims(x).size()) : 0;
  const auto dim = in.dims(x)[static_cast<size_t>(axis)];
  if (in.result_dims() == in.dims(x)) return in.give(x);
  if (dim.batch) throw in.refuse("takes a part of the batch, which mixes pictures");
  const int64_t start = in.has(2) ? bound(in.integer(2), dim.size) : 0;
  const int64_t end = in.has(3) ? bound(in.integer(3), dim.size) : dim.size;
  in.give(in.slice(x, axis, start, end, in.has(4) ? in.integer(4) : 1));
}

void narrow(Lowering& in) {
  const auto x = in.value(0);
  const auto axis = in.axis(1, in.dims(x).size());
  if (in.result_dims() == in.dims(x)) return in.give(x);
  in.give(in.slice(x, axis, in.integer(2), in.integer(2) + in.integer(3)));
}

/// chunk, split: consecutive pieces as large as the results.
void pieces(Lowering& in, size_t axis_argument, size_t results) {
  const auto x = in.value(0);
  const auto axis = in.has(axis_argument) ? in.axis(axis_argument, in.dims(x).size()) : 0;
  int64_t start = 0;
  for (size_t r = 0; r < results; ++r) {
    const int64_t size = in.result_dims(r)[static_cast<size_t>(axis)].size;
    in.give(in.slice(x, axis, start, start + size), r);
    start += size;
  }
}
void split(Lowering& in) { pieces(in, 2, in.result_count()); }

void unbind(Lowering& in) {
  const auto x = in.value(0);
  const auto axis = in.has(1) ? in.axis(1, in.dims(x).size()) : 0;
  if (in.dims(x)[static_cast<size_t>(axis)].batch)
    throw in.refuse("takes the batch apart, which mixes pictures");
  for (size_t r = 0; r < in.result_count(); ++r) {
    const auto start = static_cast<int64_t>(r);
    in.give(in.reshape(in.slice(x, axis, start, start + 1), in.result_dims(r)), r);
  }
}

void cat(Lowering& in) {
  auto parts = in.values(0);
  if (in.result_is_float())
    for (auto& part : parts) part = in.floats(part);
  in.give(in.concat(parts, in.has(1) ? in.axis(1, in.result_dims().size()) : 0));
}

void stack(Lowering& in) {
  auto parts = in.values(0);
  const auto axis = in.has(1) ? in.axis(1, in.result_dims().size()) : 0;
  for (auto& part : parts) {
    auto dims = in.dims(part);
    dims.insert(dims.begin() + axis, ops::Dim{});
    part = in.reshape(part, dims);
  }
  in.give(in.concat(parts, axis));
}

void expand(Lowering& in) {
  const auto x = in.value(0);
  const auto dims = in.result_dims();
  in.give(dims == in.dims(x) ? x : in.add(Op::expand, {x}, {{"shape", dims}}));
}

/// Last dimension first, before and after, as PyTorch gives pads.
void pad(Lowering& in, bool constant, double value) {
  if (!constant) throw in.refuse("is supported with a constant only");
  const auto x = in.value(0);
  const auto rank = in.dims(x).size();
  std::vector<int64_t> before(rank), after(rank);
  const auto& pads = in.integers(1);
  for (size_t i = 0; 2 * i + 1 < pads.size() && i < rank; ++i) {
    before[rank - 1 - i] = pads[2 * i];
    after[rank - 1 - i] = pads[2 * i + 1];
  }
  if (std::ranges::all_of(pads, [](int64_t p) { return p == 0; })) return in.give(x);
  in.give(
      in.add(Op::pad, {in.floats(x)}, {{"before", before}, {"after", after}, {"value", value}}));
}
void any_pad(Lowering& in) {
  pad(in, !in.has(2) || in.text(2) == "constant", in.has(3) ? in.real(3) : 0.0);
}
void constant_pad(Lowering& in) { pad(in, true, in.has(2) ? in.real(2) : 0.0); }

void roll(Lowering& in) {
  const auto x = in.value(0);
  const auto axes = in.axes(2, in.dims(x).size());
  auto shifts = in.integers(1);
  if (axes.size() != shifts.size()) throw in.refuse("is supported along given dimensions only");
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t size = in.dims(x)[static_cast<size_t>(axes[i])].size;
    shifts[i] = ((shifts[i] % size) + size) % size;
  }
  in.give(in.add(Op::roll, {x}, {{"shifts", shifts}, {"axes", axes}}));
}

void index_select(Lowering& in) {
  const auto x = in.value(0);
  in.give(in.add(Op::gather, {x, in.value(2)}, {{"axis", in.axis(1, in.dims(x).size())}}));
}

/// x[:, ..., index, ...] with one tensor of positions.
void index(Lowering& in) {
  const auto x = in.value(0);
  const auto indices = in.values(1);
  size_t axis = 0;
  while (axis < indices.size() && indices[axis] == plan::kAbsent) ++axis;
  const auto given = std::ranges::count_if(indices, [](auto id) { return id != plan::kAbsent; });
  if (given != 1 || in.dtype(indices[axis]) != DType::I64)
    throw in.refuse("is supported with positions along one dimension only");
  const auto dims = in.dims(indices[axis]);
  const auto rows = in.reshape(indices[axis], {{ops::elements(dims), has_batch(dims)}});
  const auto gathered = in.add(Op::gather, {x, rows}, {{"axis", static_cast<int64_t>(axis)}});
  in.give(in.reshape(gathered, in.result_dims()));
}

}  // namespace

std::span<const Rule> shape_rules() {
  static constexpr Rule kRules[] = {
      {"_unsafe_view", reshape},
      {"_reshape_alias", reshape},
      {"alias", identity},
      {"cat", cat},
      {"chunk", split},
      {"clone", identity},
      {"concat", cat},
      {"constant_pad_nd", constant_pad},
      {"contiguous", identity},
      {"detach", identity},
      {"dropout", dropout},
      {"expand", expand},
      {"expand_as", expand},
      {"flatten", reshape},
      {"index", index},
      {"index_select", index_select},
      {"lift_fresh", identity},
      {"narrow", narrow},
      {"pad", any_pad},
      {"permute", permute},
      {"reshape", reshape},
      {"reshape_as", reshape},
      {"roll", roll},
      {"select", select},
      {"slice", slice},
      {"split", split},
      {"split_with_sizes", split},
      {"squeeze", reshape},
      {"stack", stack},
      {"t", t},
      {"to", convert},
      {"transpose", transpose},
      {"type_as", convert},
      {"unbind", unbind},
      {"unflatten", reshape},
      {"unsqueeze", reshape},
      {"view", reshape},
      {"view_as", reshape},
  };
  return kRules;
}

}  // namespace saccade::trace
