#pragma once
// Golden cases through the test programs: `make golden GOLDEN=DIR` lists every case below a folder
// and gives each to the first runner that knows its kind.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/tensor.h"

namespace saccade::parity {

enum class Status { passed, failed, unsupported };

struct Outcome {
  Status status = Status::passed;
  std::string detail;  ///< what failed, or why it is not supported; one line
};

/// A case folder with its case.json. The files of formats/ have none; there `system` is "formats"
/// and `model` the file's format or the folder's name:
/// - kind "good": `folder` holds one file or a sharded checkpoint and its expected.json; null json;
/// - kind "bad": `folder` is the malformed file (or sharded folder), `json` its manifest entry.
struct Case {
  std::filesystem::path folder;
  Json json;
  std::string system, model, kind;
  std::string problem = {};  ///< why the case cannot be read; it counts as failed

  /// The stored tensor "in.x", "mid.x" or "out.x"; throws Error if it is absent.
  [[nodiscard]] HostTensor golden(std::string_view name) const;
};

/// Every case at or below `root`, sorted by path. Throws Error (usage) if there is no such folder.
[[nodiscard]] std::vector<Case> discover(const std::filesystem::path& root);

/// Compares with the golden tensor of that name under the case's tolerance for it: |actual -
/// golden|
/// <= atol + rtol * |golden| everywhere, integers equal, NaN only where the golden tensor has it.
/// "" if it holds, else one line.
[[nodiscard]] std::string compare(const Case& c, std::string_view name, const HostTensor& actual);

/// Answers nothing if the case is of another kind.
using Runner = std::function<std::optional<Outcome>(const Case&)>;

/// The runners, one function per area and file of this folder.
[[nodiscard]] std::optional<Outcome> run_model_case(const Case& c);       // model_cases.cpp
[[nodiscard]] std::optional<Outcome> run_format_case(const Case& c);      // format_cases.cpp
[[nodiscard]] std::optional<Outcome> run_preprocess_case(const Case& c);  // preprocess_cases.cpp
[[nodiscard]] std::optional<Outcome> run_accuracy_case(const Case& c);    // accuracy_cases.cpp
[[nodiscard]] std::optional<Outcome> run_training_case(const Case& c);    // training_cases.cpp

}  // namespace saccade::parity
