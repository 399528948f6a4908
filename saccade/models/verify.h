#pragma once
// The proof: a golden case is built from its configuration, filled with its weights, run on its
// inputs, and compared with what the reference computed.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "saccade/base/engine.h"
#include "saccade/base/json.h"

namespace saccade::models {

class Model;

/// One compared tensor.
struct TensorResult {
  std::string name;      ///< "out.logits", "mid.blocks.0"
  double max_abs = 0.0;  ///< largest |difference|; infinite for a NaN or another shape
  double atol = 0.0, rtol = 0.0;
  bool ok = false;
};

struct CaseResult {
  enum class Status { passed, failed, unreadable, unsupported };
  std::filesystem::path folder;
  std::string system;
  Status status = Status::passed;
  std::string message;  ///< why it could not be run; "" otherwise
  std::vector<TensorResult> tensors;
  std::vector<std::string> skipped;  ///< intermediates that the model does not offer
};

/// Folders with a case.json at or below `folder`, sorted; throws Error (usage) if there is none.
[[nodiscard]] std::vector<std::filesystem::path> find_cases(const std::filesystem::path& folder);

struct VerifyOptions {
  /// Answers in the model's place, for instance compiled from it; null: the model answers itself.
  /// Then only outputs are compared, at max(the case's tolerance, 1e-4 x the output's scale).
  std::function<std::shared_ptr<Engine>(Model& model, const NamedTensors& inputs)> engine;
};

/// Never throws for what is wrong with the case: its status says so.
[[nodiscard]] CaseResult verify_case(const std::filesystem::path& folder,
                                     const VerifyOptions& options = {});

}  // namespace saccade::models
