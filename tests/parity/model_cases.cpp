#include <algorithm>

#include <fmt/format.h>

#include "saccade/models/verify.h"
#include "tests/parity/golden.h"

namespace saccade::parity {
namespace {

/// The first tensor that does not hold, or why the case could not be run.
std::string reason(const models::CaseResult& result) {
  const auto bad = std::ranges::find(result.tensors, false, &models::TensorResult::ok);
  if (bad == result.tensors.end()) return result.message;
  return fmt::format("{}: max |difference| {:.3g}, atol {:.3g}, rtol {:.3g}", bad->name,
                     bad->max_abs, bad->atol, bad->rtol);
}

}  // namespace

std::optional<Outcome> run_model_case(const Case& c) {
  const auto known = [&](const char* key) { return c.json.is_object() && c.json.contains(key); };
  if (!known("config") || !known("weights") || c.json["weights"] == "none") return std::nullopt;
  const auto result = models::verify_case(c.folder);
  using Verdict = models::CaseResult::Status;
  if (result.status == Verdict::unsupported) return std::nullopt;
  return Outcome{result.status == Verdict::passed ? Status::passed : Status::failed,
                 reason(result)};
}

}  // namespace saccade::parity
