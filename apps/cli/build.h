#pragma once
// Where this build lives and what it brings along.

#include <filesystem>
#include <optional>
#include <string_view>

namespace saccade::cli {

/// "0.1.0"
[[nodiscard]] std::string_view version();
/// "g++ 12.2.0"
[[nodiscard]] std::string_view compiler();
/// The file of the running program.
[[nodiscard]] std::filesystem::path executable();
/// The folder of bundled files: <prefix>/share/saccade/assets beside an installed program, the
/// source's assets/ in the build tree; nothing if there is none.
[[nodiscard]] std::optional<std::filesystem::path> assets_folder();

/// The bundled default model, as a file of the assets folder: a plan, which every program runs.
constexpr std::string_view kDefaultModel = "vit_cifar10.plan";
/// Its path if it is there.
[[nodiscard]] std::optional<std::filesystem::path> default_model();

}  // namespace saccade::cli
