#include "saccade/base/check.h"

namespace saccade::detail {

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  const std::string_view path(file);
  const auto name = path.substr(path.rfind("saccade/") == path.npos ? 0 : path.rfind("saccade/"));
  throw InternalError(fmt::format("internal error at {}:{}: {} ({}); please report it", name, line,
                                  message, condition));
}

}  // namespace saccade::detail
