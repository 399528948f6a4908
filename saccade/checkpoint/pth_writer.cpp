// A .pth as torch.save writes it: pickle protocol 2 with nothing but dictionaries, tuples and the
// globals that torch.load(weights_only=True) allows.

#include <algorithm>
#include <array>
#include <map>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/read_back.h"
#include "saccade/checkpoint/writer.h"
#include "saccade/checkpoint/zip_writer.h"

namespace saccade::checkpoint {
namespace {

/// How torch stores an element type: by a storage class, or untyped with the dtype beside it.
struct TorchType {
  DType dtype;
  std::string_view storage;  ///< "" for untyped
  std::string_view name;     ///< of the dtype
};

constexpr auto kTypes = std::to_array<TorchType>({
    {DType::F64, "DoubleStorage", "float64"},
    {DType::F32, "FloatStorage", "float32"},
    {DType::F16, "HalfStorage", "float16"},
    {DType::BF16, "BFloat16Storage", "bfloat16"},
    {DType::I64, "LongStorage", "int64"},
    {DType::I32, "IntStorage", "int32"},
    {DType::I16, "ShortStorage", "int16"},
    {DType::I8, "CharStorage", "int8"},
    {DType::U8, "ByteStorage", "uint8"},
    {DType::BOOL, "BoolStorage", "bool"},
    {DType::C64, "ComplexFloatStorage", "complex64"},
    {DType::C128, "ComplexDoubleStorage", "complex128"},
    {DType::U16, "", "uint16"},
    {DType::U32, "", "uint32"},
    {DType::U64, "", "uint64"},
    {DType::F8_E4M3, "", "float8_e4m3fn"},
    {DType::F8_E5M2, "", "float8_e5m2"},
    {DType::F8_E4M3FNUZ, "", "float8_e4m3fnuz"},
    {DType::F8_E5M2FNUZ, "", "float8_e5m2fnuz"},
    {DType::F8_E8M0, "", "float8_e8m0fnu"},
});

const TorchType& torch_type(const std::string& name, DType dtype) {
  const auto it = std::ranges::find(kTypes, dtype, &TorchType::dtype);
  if (it == kTypes.end())
    throw unsupported_error(
        "tensor \"{}\": torch has no dtype for {}; write a safetensors file "
        "instead",
        name, saccade::name(dtype));
  return *it;
}

/// Writes the opcodes; globals are kept in the memo.
class Pickler {
 public:
  Pickler() { op("\x80\x02"); }

  Pickler& op(std::string_view opcodes) {
    out_ += opcodes;
    return *this;
  }

  Pickler& text(std::string_view text) {
    op("X").number(static_cast<uint32_t>(text.size()));
    return op(text);
  }

  Pickler& integer(int64_t value) {
    if (value >= 0 && value < 0x100) return op("K").number(static_cast<uint8_t>(value));
    if (value >= INT32_MIN && value <= INT32_MAX)
      return op("J").number(static_cast<int32_t>(value));
    return op("\x8a\x08").number(value);
  }

  Pickler& integers(const Shape& values) {
    op("(");
    for (const int64_t value : values) integer(value);
    return op("t");
  }

  Pickler& global(std::string_view module, std::string_view name) {
    const auto text = fmt::format("c{}\n{}\n", module, name);
    const auto slot = static_cast<uint8_t>(memo_.size());
    const auto [known, added] = memo_.emplace(text, slot);
    if (!added) return op("h").number(known->second);
    return op(text).op("q").number(slot);
  }

  Pickler& ordered_dict() { return global("collections", "OrderedDict").op(")R"); }

  [[nodiscard]] const std::string& bytes() const { return out_; }

 private:
  template <class T>
  Pickler& number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }

  std::string out_;
  std::map<std::string, uint8_t> memo_;  ///< at most the globals of kTypes and a few more
};

/// The storages of a state dict; tensors over the same bytes share one.
class Storages {
 public:
  /// Index of the storage that holds these bytes.
  size_t add(std::span<const std::byte> bytes) {
    const auto place = std::pair(bytes.data(), bytes.size());
    const auto [known, added] = places_.emplace(place, storages_.size());
    if (!added && !bytes.empty()) return known->second;
    storages_.push_back(bytes);
    return storages_.size() - 1;
  }
  [[nodiscard]] const std::vector<std::span<const std::byte>>& all() const { return storages_; }

 private:
  std::map<std::pair<const std::byte*, size_t>, size_t> places_;
  std::vector<std::span<const std::byte>> storages_;
};

void pickle_tensor(Pickler& out, Storages& storages, const std::string& name,
                   const HostTensor& tensor) {
  const auto& type = torch_type(name, tensor.dtype());
  const bool typed = !type.storage.empty();
  const auto size = static_cast<int64_t>(tensor.bytes().size());
  out.text(name).global("torch._utils", typed ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
  out.op("((").text("storage");
  typed ? out.global("torch", type.storage) : out.global("torch.storage", "UntypedStorage");
  out.text(std::to_string(storages.add(tensor.bytes()))).text("cpu");
  out.integer(typed ? size / bytes(tensor.dtype()) : size).op("tQ");
  out.integer(0).integers(tensor.shape()).integers(contiguous_strides(tensor.shape()));
  out.op("\x89").ordered_dict();
  if (!typed) out.global("torch", type.name);
  out.op("tR");
}

std::string pickle_state(const NamedTensors& tensors, const std::string& wrap, Storages& storages) {
  Pickler out;
  if (!wrap.empty()) out.op("}").text(wrap);
  out.ordered_dict().op("(");
  for (const auto& [name, tensor] : tensors) pickle_tensor(out, storages, name, tensor);
  out.op("u");
  if (!wrap.empty()) out.op("s");
  return out.op(".").bytes();
}

/// The folder of the records: the stem of the file's name, as torch does.
std::string root_folder(const std::filesystem::path& path) {
  const auto stem = path.stem().string();
  const bool plain = !stem.empty() && stem != "." && stem != ".." &&
                     std::ranges::all_of(stem, [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                     });
  return (plain ? stem : "archive") + "/";
}

}  // namespace

void write_pth(const std::filesystem::path& path, const NamedTensors& tensors,
               const std::string& wrap) {
  check_names(tensors);
  Storages storages;
  const auto pickle = pickle_state(tensors, wrap, storages);
  const auto root = root_folder(path);
  const auto write = [&](const ByteSink& sink) {
    ZipWriter zip(sink);
    zip.add(root + "data.pkl", pickle);
    zip.add(root + ".format_version", "1");
    zip.add(root + ".storage_alignment", "64");
    zip.add(root + "byteorder", "little");
    for (size_t i = 0; i < storages.all().size(); ++i)
      zip.add(fmt::format("{}data/{}", root, i), storages.all()[i]);
    zip.add(root + "version", "3\n");
    zip.finish();
  };
  write_file_atomically(path, write, [&](const std::filesystem::path& written) {
    check_read_back(written, path, tensors, wrap, read_pth);
  });
}

}  // namespace saccade::checkpoint
