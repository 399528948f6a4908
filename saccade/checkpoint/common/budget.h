#pragma once
// Memory that one file may make its reader take.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "saccade/base/checked.h"
#include "saccade/base/error.h"

namespace saccade::checkpoint {

/// What even the smallest file may make its reader take, in bytes.
constexpr uint64_t kSlack = uint64_t{24} << 20;

/// Counts what is allocated on behalf of a file against twice its size plus a slack; with the map
/// of the file itself and the spare room of growing vectors that stays below the promised size * 4
/// + 64 MiB.
class Budget {
 public:
  Budget(std::string file, uint64_t file_size, uint64_t slack = kSlack)
      : file_(std::move(file)), limit_(2 * file_size + slack) {}

  /// Throws Error (bad_input) if the file asks for more than its share. `what` names the reason.
  void take(uint64_t bytes, std::string_view what) {
    const auto sum = checked_add(used_, bytes);
    if (!sum || *sum > limit_)
      throw input_error(file_,
                        "{} would take more than the {} bytes of memory that a file of "
                        "this size may use",
                        what, limit_);
    used_ = *sum;
  }

 private:
  std::string file_;
  uint64_t limit_;
  uint64_t used_ = 0;
};

}  // namespace saccade::checkpoint
