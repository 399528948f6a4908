#pragma once
// A pickle stream and the place where its reader stands, for messages.

#include <cstdint>
#include <string>
#include <string_view>

#include "saccade/base/error.h"

namespace saccade::checkpoint::pickle {

struct Source {
  std::string file;         ///< "model.pth", or "model.pth (data.pkl, inflated)"
  uint64_t origin = 0;      ///< offset of the stream in that file
  std::string_view stream;  ///< the bytes
  uint64_t position = 0;    ///< start of the opcode at hand

  template <class... Args>
  [[nodiscard]] Error fail(fmt::format_string<Args...> text, Args&&... args) const {
    return input_error_at(file, origin + position, text, std::forward<Args>(args)...);
  }
};

}  // namespace saccade::checkpoint::pickle
