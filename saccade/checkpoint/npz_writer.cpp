// An .npz as numpy.savez writes it: a zip of .npy arrays (numpy/lib/_format_impl.py), stored.

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/common/numpy_type.h"
#include "saccade/checkpoint/common/plain_path.h"
#include "saccade/checkpoint/read_back.h"
#include "saccade/checkpoint/writer.h"
#include "saccade/checkpoint/zip_writer.h"

namespace saccade::checkpoint {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr size_t kAlignment = 64;

void check_writable(const NamedTensors& tensors) {
  check_names(tensors);
  for (const auto& [name, tensor] : tensors) {
    if (!is_plain_path(name))
      throw unsupported_error(
          "tensor \"{}\": its name is no relative path, so it cannot lie in an .npz; write a "
          "safetensors file instead",
          name.substr(0, 200));
    if (numpy_descr(tensor.dtype()).empty())
      throw unsupported_error(
          "tensor \"{}\": numpy has no type for {}; write a safetensors file instead", name,
          saccade::name(tensor.dtype()));
  }
}

/// Format version 1.0: magic, length of the text, a Python dictionary padded to full alignment.
std::string npy_header(const HostTensor& tensor) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 numpy_descr(tensor.dtype()), fmt::join(tensor.shape(), ", "),
                                 tensor.shape().size() == 1 ? "," : "");
  std::string header("\x93NUMPY\x01\x00", 8);
  const size_t unpadded = header.size() + sizeof(uint16_t) + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  header.append(reinterpret_cast<const char*>(&length), sizeof(length));
  return header + text;
}

}  // namespace

void write_npz(const std::filesystem::path& path, const NamedTensors& tensors) {
  check_writable(tensors);
  const auto write = [&](const ByteSink& sink) {
    ZipWriter zip(sink);
    for (const auto& [name, tensor] : tensors) {
      const auto header = npy_header(tensor);
      zip.add(name + std::string(kSuffix), {std::as_bytes(std::span(header)), tensor.bytes()});
    }
    zip.finish();
  };
  write_file_atomically(path, write, [&](const std::filesystem::path& written) {
    check_read_back(written, path, tensors, "", read_npz);
  });
}

}  // namespace saccade::checkpoint
