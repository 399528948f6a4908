#pragma once
// What the runners of training cases share: golden tensors as torch tensors, and the first
// difference.

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <torch/torch.h>

#include "saccade/nn/host.h"
#include "tests/parity/golden.h"

namespace saccade::parity {

class TrainingCheck {
 public:
  explicit TrainingCheck(const Case& c)
      : case_(c),
        expected_(std::filesystem::exists(c.folder / "expected.json")
                      ? read_json(c.folder / "expected.json")
                      : Json::object()) {}

  [[nodiscard]] const Case& source() const { return case_; }
  [[nodiscard]] const Json& config() const { return case_.json.at("config"); }
  /// expected.json, or {} where there is none.
  [[nodiscard]] const Json& expected() const { return expected_; }
  [[nodiscard]] bool has(const std::string& name) const {
    return case_.json.at("tensors").contains(name);
  }
  /// A fresh copy of "in.x", "mid.x" or "out.x".
  [[nodiscard]] torch::Tensor golden(const std::string& name) const {
    return nn::to_torch(case_.golden(name));
  }
  [[nodiscard]] torch::Tensor in(const std::string& name) const { return golden("in." + name); }
  /// What follows `prefix` in the names of the case's tensors, in their order.
  [[nodiscard]] std::vector<std::string> names(const std::string& prefix) const {
    std::vector<std::string> out;
    for (const auto& item : case_.json.at("tensors").items())
      if (item.key().starts_with(prefix)) out.push_back(item.key().substr(prefix.size()));
    return out;
  }

  /// Compares with "out.<name>".
  void tensor(const std::string& name, const torch::Tensor& actual) {
    ++compared_;
    if (difference_.empty())
      difference_ = compare(case_, "out." + name, nn::to_host(actual.detach()));
  }
  void number(const std::string& what, double actual, const Json& expected, double rtol) {
    ++compared_;
    const auto value = expected.get<double>();
    if (difference_.empty() &&
        !(std::abs(actual - value) <= rtol * std::max(1e-12, std::abs(value))))
      difference_ = fmt::format("{}: {}, expected {}", what, actual, value);
  }
  void text(const std::string& what, const std::string& actual, const std::string& expected) {
    ++compared_;
    if (difference_.empty() && actual != expected)
      difference_ = fmt::format("{}: {}, expected {}", what, actual, expected);
  }

  /// A part of the case that this build cannot answer.
  void skip(const std::string& why) { skipped_ += (skipped_.empty() ? "" : "; ") + why; }

  [[nodiscard]] Outcome outcome() const {
    if (!difference_.empty()) return {Status::failed, difference_};
    if (!skipped_.empty()) return {Status::unsupported, skipped_};
    if (compared_ == 0) return {Status::failed, "nothing was compared"};
    return {Status::passed, ""};
  }

 private:
  const Case& case_;
  Json expected_;
  std::string difference_;
  std::string skipped_;
  int64_t compared_ = 0;
};

// Runners outside training_cases.cpp.
void run_augment_ops(TrainingCheck& check);     // training_picture_cases.cpp
void run_random_erasing(TrainingCheck& check);  // training_picture_cases.cpp
void run_param_groups(TrainingCheck& check);    // training_step_cases.cpp
void run_drop_and_init(TrainingCheck& check);   // training_step_cases.cpp
void run_train_steps(TrainingCheck& check);     // training_step_cases.cpp

}  // namespace saccade::parity
