#include "saccade/checkpoint/common/numpy_type.h"

#include <algorithm>
#include <array>
#include <utility>

namespace saccade::checkpoint {

namespace {

using Row = std::pair<std::string_view, DType>;
constexpr auto kTable = std::to_array<Row>({
    {"b1", DType::BOOL},
    {"i1", DType::I8},
    {"u1", DType::U8},
    {"i2", DType::I16},
    {"u2", DType::U16},
    {"f2", DType::F16},
    {"i4", DType::I32},
    {"u4", DType::U32},
    {"f4", DType::F32},
    {"i8", DType::I64},
    {"u8", DType::U64},
    {"f8", DType::F64},
    {"c8", DType::C64},
    {"V2", DType::BF16},
    {"c16", DType::C128},
});

/// Types whose code says nothing about the order of bytes.
bool is_orderless(DType dtype) { return bits(dtype) == 8 || dtype == DType::BF16; }

}  // namespace

std::optional<DType> numpy_dtype(std::string_view code) {
  const auto it = std::ranges::find(kTable, code, &Row::first);
  return it != kTable.end() ? std::optional(it->second) : std::nullopt;
}

std::string numpy_descr(DType dtype) {
  const auto it = std::ranges::find(kTable, dtype, &Row::second);
  if (it == kTable.end()) return "";
  return (is_orderless(dtype) ? "|" : "<") + std::string(it->first);
}

std::optional<NumpyDescr> parse_numpy_descr(std::string_view descr) {
  if (descr.empty()) return std::nullopt;
  const char order = descr.front();
  const auto dtype = numpy_dtype(descr.substr(1));
  if (!dtype) return std::nullopt;
  if (order != '<' && order != '>' && !(order == '|' && is_orderless(*dtype))) return std::nullopt;
  return NumpyDescr{*dtype, order == '>'};
}

}  // namespace saccade::checkpoint
