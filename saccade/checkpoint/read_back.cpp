#include "saccade/checkpoint/read_back.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/utf8.h"

namespace saccade::checkpoint {
namespace {

bool same(const Entry& entry, const HostTensor& tensor) {
  const auto bytes = tensor.bytes();
  return entry.view.dtype == tensor.dtype() && entry.view.shape == tensor.shape() &&
         entry.view.is_contiguous() && entry.view.bytes.size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), entry.view.bytes.begin());
}

}  // namespace

void check_names(const NamedTensors& tensors) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (find_invalid_utf8(name) != name.npos)
      throw usage_error("a tensor has a name that is no UTF-8: \"{}\"", printable(name));
    if (!names.insert(name).second) throw usage_error("two tensors are called \"{}\"", name);
  }
}

void check_read_back(const std::filesystem::path& written, const std::filesystem::path& path,
                     const NamedTensors& tensors, std::string_view wrap,
                     Contents (*reader)(const Input&)) {
  const auto map = FileMap::open(written);
  Contents contents;
  try {
    contents = reader({map->bytes(), path.string(), map});
    if (contents.verify) contents.verify();
  } catch (const Error& error) {
    throw resource_error("{}: reading back what was written failed: {}", path.string(),
                         error.what());
  }
  std::map<std::string_view, const Entry*> entries;
  for (const auto& entry : contents.entries) entries.emplace(entry.path, &entry);
  bool equal = contents.entries.size() == tensors.size();
  for (const auto& [name, tensor] : tensors) {
    const auto found = entries.find(wrap.empty() ? name : fmt::format("{}.{}", wrap, name));
    equal = equal && found != entries.end() && same(*found->second, tensor);
  }
  if (!equal)
    throw resource_error(
        "{}: what was read back differs from what was written; the disk may be "
        "faulty",
        path.string());
}

}  // namespace saccade::checkpoint
