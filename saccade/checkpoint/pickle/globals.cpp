#include "saccade/checkpoint/pickle/globals.h"

#include <algorithm>
#include <array>

namespace saccade::checkpoint::pickle {
namespace {

struct KnownRow {
  std::string_view module, name;
  Known known;
};

// Python 2 names (__builtin__) stand in pickles of protocol 2 and below.
constexpr auto kKnown = std::to_array<KnownRow>({
    {"collections", "OrderedDict", Known::ordered_dict},
    {"collections", "defaultdict", Known::default_dict},
    {"collections", "Counter", Known::counter},
    {"builtins", "dict", Known::dict},
    {"builtins", "list", Known::list},
    {"builtins", "tuple", Known::tuple},
    {"builtins", "set", Known::set},
    {"builtins", "frozenset", Known::set},
    {"builtins", "bytes", Known::bytes},
    {"builtins", "bytearray", Known::bytearray},
    {"_codecs", "encode", Known::encode},
    {"torch", "Size", Known::size},
    {"torch", "device", Known::device},
    {"torch.serialization", "_get_layout", Known::get_layout},
    {"torch.storage", "UntypedStorage", Known::storage},
    {"torch._utils", "_rebuild_tensor", Known::rebuild_v1},
    {"torch._utils", "_rebuild_tensor_v2", Known::rebuild_v2},
    {"torch._utils", "_rebuild_tensor_v3", Known::rebuild_v3},
    {"torch._utils", "_rebuild_parameter", Known::rebuild_parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Known::rebuild_parameter_with_state},
    {"torch._tensor", "_rebuild_from_type_v2", Known::rebuild_from_type},
    {"torch._utils", "_rebuild_sparse_tensor", Known::rebuild_sparse},
    {"torch._utils", "_rebuild_sparse_csr_tensor", Known::rebuild_sparse},
    {"torch._utils", "_rebuild_qtensor", Known::rebuild_quantized},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", Known::rebuild_meta},
    {"torch._utils", "_rebuild_nested_tensor", Known::rebuild_other},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", Known::rebuild_other},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", Known::rebuild_other},
    {"torch._utils", "_rebuild_xla_tensor", Known::rebuild_other},
    {"torch._utils", "_rebuild_mlc_tensor", Known::rebuild_other},
    {"torch._utils", "_rebuild_wrapper_subclass", Known::rebuild_other},
    {"torch._tensor", "_rebuild_from_type", Known::rebuild_other},
    {"torch.tensor", "_rebuild_from_type", Known::rebuild_other},
    {"numpy", "ndarray", Known::np_array},
    {"numpy", "dtype", Known::np_dtype},
    {"numpy.core.multiarray", "_reconstruct", Known::np_reconstruct},
    {"numpy._core.multiarray", "_reconstruct", Known::np_reconstruct},
    {"numpy.core.multiarray", "scalar", Known::np_scalar},
    {"numpy._core.multiarray", "scalar", Known::np_scalar},
    {"numpy.core.numeric", "_frombuffer", Known::np_from_buffer},
    {"numpy._core.numeric", "_frombuffer", Known::np_from_buffer},
});

struct StorageRow {
  std::string_view name;
  StorageClass type;
};

constexpr auto kStorages = std::to_array<StorageRow>({
    {"DoubleStorage", {DType::F64, 8}},
    {"FloatStorage", {DType::F32, 4}},
    {"HalfStorage", {DType::F16, 2}},
    {"BFloat16Storage", {DType::BF16, 2}},
    {"LongStorage", {DType::I64, 8}},
    {"IntStorage", {DType::I32, 4}},
    {"ShortStorage", {DType::I16, 2}},
    {"CharStorage", {DType::I8, 1}},
    {"ByteStorage", {DType::U8, 1}},
    {"BoolStorage", {DType::BOOL, 1}},
    {"ComplexFloatStorage", {DType::C64, 8}},
    {"ComplexDoubleStorage", {DType::C128, 16}},
    {"UntypedStorage", {DType::U8, 1, true}},
    {"QInt8Storage", {std::nullopt, 1}},
    {"QUInt8Storage", {std::nullopt, 1}},
    {"QInt32Storage", {std::nullopt, 4}},
    {"QUInt4x2Storage", {std::nullopt, 1}},
    {"QUInt2x4Storage", {std::nullopt, 1}},
});

struct DTypeRow {
  std::string_view name;
  std::optional<DType> dtype;
};

constexpr auto kDTypes = std::to_array<DTypeRow>({
    {"float64", DType::F64},
    {"double", DType::F64},
    {"float32", DType::F32},
    {"float", DType::F32},
    {"float16", DType::F16},
    {"half", DType::F16},
    {"bfloat16", DType::BF16},
    {"int64", DType::I64},
    {"long", DType::I64},
    {"int32", DType::I32},
    {"int", DType::I32},
    {"int16", DType::I16},
    {"short", DType::I16},
    {"int8", DType::I8},
    {"uint8", DType::U8},
    {"uint16", DType::U16},
    {"uint32", DType::U32},
    {"uint64", DType::U64},
    {"bool", DType::BOOL},
    {"complex64", DType::C64},
    {"cfloat", DType::C64},
    {"complex128", DType::C128},
    {"cdouble", DType::C128},
    {"float8_e4m3fn", DType::F8_E4M3},
    {"float8_e5m2", DType::F8_E5M2},
    {"float8_e4m3fnuz", DType::F8_E4M3FNUZ},
    {"float8_e5m2fnuz", DType::F8_E5M2FNUZ},
    {"float8_e8m0fnu", DType::F8_E8M0},
    {"complex32", std::nullopt},
    {"chalf", std::nullopt},
    {"float4_e2m1fn_x2", std::nullopt},
    {"qint8", std::nullopt},
    {"quint8", std::nullopt},
    {"qint32", std::nullopt},
    {"quint4x2", std::nullopt},
    {"quint2x4", std::nullopt},
});

template <class Rows>
auto find_row(const Rows& rows, std::string_view name) {
  return std::ranges::find_if(rows, [&](const auto& row) { return row.name == name; });
}

}  // namespace

Known find_known(std::string_view module, std::string_view name) {
  if (module == "__builtin__") module = "builtins";
  const auto it = std::ranges::find_if(
      kKnown, [&](const KnownRow& row) { return row.name == name && row.module == module; });
  if (it != kKnown.end()) return it->known;
  if (module != "torch") return Known::unknown;
  if (name != "UntypedStorage" && find_row(kStorages, name) != kStorages.end())
    return Known::storage;
  return find_row(kDTypes, name) != kDTypes.end() ? Known::dtype : Known::unknown;
}

StorageClass storage_class(std::string_view name) {
  const auto it = find_row(kStorages, name);
  return it != kStorages.end() ? it->type : StorageClass{};
}

std::optional<DType> torch_dtype(std::string_view name) {
  const auto it = find_row(kDTypes, name);
  return it != kDTypes.end() ? it->dtype : std::nullopt;
}

}  // namespace saccade::checkpoint::pickle
