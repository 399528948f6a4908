#pragma once
// Small files made in memory, to be damaged by tests.

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "saccade/base/error.h"
#include "saccade/checkpoint/common/contents.h"
#include "saccade/checkpoint/zip_writer.h"

namespace saccade::checkpoint::made {

inline Input input_of(const std::string& bytes, std::string file = "made") {
  return {std::as_bytes(std::span(bytes)), std::move(file), nullptr};
}

/// A stored archive of (name, text) pairs.
inline std::string make_zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  const ByteSink sink = [&](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  ZipWriter zip(sink);
  for (const auto& [name, text] : entries) zip.add(name, text);
  zip.finish();
  return out;
}

/// The archive of torch.save around a pickle and the storages "0", "1" ...
inline std::string make_pth(const std::string& pickle, const std::vector<std::string>& storages) {
  std::vector<std::pair<std::string, std::string>> entries{{"archive/data.pkl", pickle},
                                                           {"archive/version", "3\n"}};
  for (size_t i = 0; i < storages.size(); ++i)
    entries.emplace_back("archive/data/" + std::to_string(i), storages[i]);
  return make_zip(entries);
}

/// A safetensors file with that header.
inline std::string make_safetensors(const std::string& header, size_t data_size) {
  const uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + std::string(data_size, '\1');
}

/// The message of the refusal; a failure of the test if it is another error or none.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind() == ErrorKind::bad_input ? error.what()
                                                : std::string("another error: ") + error.what();
  }
  return "accepted";
}

}  // namespace saccade::checkpoint::made
