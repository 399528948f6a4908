#include "saccade/base/tensor.h"

#include <algorithm>
#include <cstring>

#include "saccade/base/check.h"
#include "saccade/base/checked.h"

namespace saccade {

std::optional<int64_t> numel(std::span<const int64_t> shape) {
  int64_t product = 1;
  for (const int64_t size : shape) {
    if (size < 0) return std::nullopt;
    const auto next = checked_mul(product, size);
    if (!next) return std::nullopt;
    product = *next;
  }
  return product;
}

Shape contiguous_strides(std::span<const int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::string to_string(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

int64_t TensorView::numel() const {
  const auto count = saccade::numel(shape);
  SACCADE_CHECK(count.has_value(), "shape {} was not validated", to_string(shape));
  return *count;
}

bool TensorView::is_contiguous() const {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

HostTensor::HostTensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const auto count = saccade::numel(shape_);
  SACCADE_CHECK(count.has_value(), "shape {} has no size", to_string(shape_));
  const auto size = static_cast<size_t>((*count * bits(dtype) + 7) / 8);
  auto buffer = std::make_shared<std::vector<std::byte>>(size);
  bytes_ = *buffer;
  owner_ = std::move(buffer);
  own_buffer_ = true;
}

HostTensor::HostTensor(DType dtype, Shape shape, std::span<const std::byte> bytes,
                       std::shared_ptr<const void> owner)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(bytes), owner_(std::move(owner)) {
  SACCADE_CHECK((numel() * bits(dtype) + 7) / 8 == static_cast<int64_t>(bytes.size()),
                "{} bytes for {} {}", bytes.size(), name(dtype), to_string(shape_));
}

int64_t HostTensor::numel() const { return saccade::numel(shape_).value_or(0); }

TensorView HostTensor::view() const { return {dtype_, shape_, contiguous_strides(shape_), bytes_}; }

void HostTensor::check_element_size(size_t size) const {
  SACCADE_CHECK(static_cast<size_t>(saccade::bits(dtype_)) == 8 * size, "{} read as {}-byte values",
                name(dtype_), size);
}

std::byte* HostTensor::writable() {
  SACCADE_CHECK(own_buffer_, "a tensor over a file cannot be written");
  return const_cast<std::byte*>(bytes_.data());
}

const HostTensor* find(const NamedTensors& tensors, std::string_view name) {
  const auto it = std::ranges::find(tensors, name, &NamedTensors::value_type::first);
  return it == tensors.end() ? nullptr : &it->second;
}

namespace {

/// Copies one dimension after the other; the innermost runs are memcpy where they can be.
void copy_strided(const TensorView& view, size_t axis, const std::byte* from, std::byte*& to,
                  int64_t element) {
  if (axis == view.shape.size()) {
    std::memcpy(to, from, static_cast<size_t>(element));
    to += element;
    return;
  }
  const bool innermost = axis + 1 == view.shape.size();
  if (innermost && view.strides[axis] == 1) {
    const auto size = static_cast<size_t>(view.shape[axis] * element);
    std::memcpy(to, from, size);
    to += size;
    return;
  }
  for (int64_t i = 0; i < view.shape[axis]; ++i)
    copy_strided(view, axis + 1, from + i * view.strides[axis] * element, to, element);
}

template <class From, class Convert>
HostTensor convert_to_float(const HostTensor& tensor, Convert convert) {
  HostTensor out(DType::F32, tensor.shape());
  std::ranges::transform(tensor.as<From>(), out.fill<float>().begin(), convert);
  return out;
}

template <class From>
HostTensor convert_to_float(const HostTensor& tensor) {
  return convert_to_float<From>(tensor, [](From value) { return static_cast<float>(value); });
}

}  // namespace

HostTensor contiguous(const TensorView& view, std::shared_ptr<const void> owner) {
  const auto size = static_cast<size_t>((view.numel() * bits(view.dtype) + 7) / 8);
  if (view.is_contiguous()) {
    const auto bytes = view.bytes.first(size);
    if (owner) return {view.dtype, view.shape, bytes, std::move(owner)};
    HostTensor copy(view.dtype, view.shape);
    std::ranges::copy(bytes, const_cast<std::byte*>(copy.bytes().data()));
    return copy;
  }
  HostTensor copy(view.dtype, view.shape);
  if (view.numel() == 0) return copy;
  auto* to = const_cast<std::byte*>(copy.bytes().data());
  copy_strided(view, 0, view.bytes.data(), to, bytes(view.dtype));
  return copy;
}

HostTensor to_float(const HostTensor& tensor) {
  switch (tensor.dtype()) {
    case DType::F32: return tensor;
    case DType::F64: return convert_to_float<double>(tensor);
    case DType::F16: return convert_to_float<uint16_t>(tensor, f16_to_float);
    case DType::BF16: return convert_to_float<uint16_t>(tensor, bf16_to_float);
    case DType::I64: return convert_to_float<int64_t>(tensor);
    case DType::I32: return convert_to_float<int32_t>(tensor);
    case DType::I16: return convert_to_float<int16_t>(tensor);
    case DType::I8: return convert_to_float<int8_t>(tensor);
    case DType::U8:
    case DType::BOOL: return convert_to_float<uint8_t>(tensor);
    case DType::U16: return convert_to_float<uint16_t>(tensor);
    case DType::U32: return convert_to_float<uint32_t>(tensor);
    case DType::U64: return convert_to_float<uint64_t>(tensor);
    default: throw unsupported_error("{} values cannot be read as numbers", name(tensor.dtype()));
  }
}

HostTensor cast(const HostTensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  const auto source = to_float(tensor);
  if (dtype == DType::F32) return source;
  SACCADE_CHECK(dtype == DType::BF16 || dtype == DType::F16, "no cast to {}", name(dtype));
  HostTensor out(dtype, tensor.shape());
  std::ranges::transform(source.as<float>(), out.fill<uint16_t>().begin(),
                         dtype == DType::BF16 ? float_to_bf16 : float_to_f16);
  return out;
}

}  // namespace saccade
