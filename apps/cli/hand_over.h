#pragma once
// `saccade` hands what needs libtorch to `saccade-torch`, as git does with its subcommands.

#include <filesystem>
#include <optional>
#include <string_view>

#include "apps/cli/verb.h"

namespace saccade::cli {

/// `saccade-torch` beside this program, else in PATH.
[[nodiscard]] std::optional<std::filesystem::path> find_torch_program();

/// Replaces this process by `saccade-torch` with the same arguments. `what` needs it, for the
/// message of the Error (not_supported) if there is none.
[[noreturn]] void hand_over(const Program& program, std::string_view what);

/// Called once by run_program, before anything else: the program with libtorch forgets that it was
/// handed something, so that what it starts may hand over again; the lean one refuses a circle.
void note_hand_over(const Program& program);

}  // namespace saccade::cli
