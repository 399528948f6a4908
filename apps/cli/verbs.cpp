#include <algorithm>

#include "apps/cli/verb.h"
#include "saccade/base/check.h"

namespace saccade::cli {
namespace {

constexpr std::string_view kUse = "Use a model";
constexpr std::string_view kFiles = "Models and files";
constexpr std::string_view kTrain = "Make a model";
constexpr std::string_view kMachine = "This machine";

Verb in(std::string_view group, Verb verb) {
  verb.group = group;
  return verb;
}

/// What `saccade` does itself.
std::vector<Verb> lean_verbs() {
  return {
      in(kUse, bench_verb()),      in(kUse, classify_verb()), in(kFiles, compile_verb()),
      in(kMachine, doctor_verb()), in(kUse, eval_verb()),     in(kFiles, inspect_verb()),
      in(kUse, metric_verb()),     in(kFiles, models_verb()), in(kUse, preprocess_verb()),
      in(kFiles, profile_verb()),
  };
}

/// What only `saccade-torch` can do; apps/torch/verbs.cpp has the same names.
std::vector<Verb> torch_only_verbs() {
  return {
      in(kFiles, handed_over("convert", "write a checkpoint in another container or convention")),
      in(kFiles, handed_over("trace", "record a model as a raw plan, to be compiled anywhere")),
      in(kTrain, handed_over("train", "train a model from a recipe")),
      in(kFiles, handed_over("verify", "compare models with numbers from their reference")),
  };
}

std::vector<Verb> sorted(std::vector<Verb> verbs) {
  std::sort(verbs.begin(), verbs.end(), [](auto& a, auto& b) { return a.name < b.name; });
  return verbs;
}

}  // namespace

std::vector<Verb> all_verbs() {
  auto verbs = lean_verbs();
  const auto handed = torch_only_verbs();
  verbs.insert(verbs.end(), handed.begin(), handed.end());
  return sorted(std::move(verbs));
}

std::vector<Verb> all_verbs(std::span<const Verb> own) {
  auto verbs = lean_verbs();
  for (const auto& verb : torch_only_verbs()) {
    const auto implemented =
        std::find_if(own.begin(), own.end(), [&](const Verb& v) { return v.name == verb.name; });
    SACCADE_CHECK(implemented != own.end(), "{} is handed over and implemented nowhere", verb.name);
    verbs.push_back(in(verb.group, *implemented));
  }
  return sorted(std::move(verbs));
}

}  // namespace saccade::cli
