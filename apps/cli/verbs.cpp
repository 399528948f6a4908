#include <algorithm>

#include "apps/cli/verb.h"

namespace saccade::cli {
namespace {

constexpr std::string_view kUse = "Use a model";
constexpr std::string_view kFiles = "Models and files";
constexpr std::string_view kMachine = "This machine";

Verb in(std::string_view group, Verb verb) {
  verb.group = group;
  return verb;
}

/// Verbs of `saccade`; the handed-over ones are implemented in apps/torch.
std::vector<Verb> lean_verbs() {
  return {
      in(kMachine, doctor_verb()),
  };
}

/// Verbs that only `saccade-torch` has.
std::vector<Verb> torch_verbs() { return {}; }

}  // namespace

std::vector<Verb> all_verbs(std::span<const Verb> own) {
  auto verbs = lean_verbs();
  for (auto& verb : torch_verbs()) {
    const auto implemented =
        std::find_if(own.begin(), own.end(), [&](const Verb& v) { return v.name == verb.name; });
    if (implemented != own.end())
      verbs.push_back(in(verb.group, *implemented));
    else if (own.empty())
      verbs.push_back(std::move(verb));
  }
  std::sort(verbs.begin(), verbs.end(), [](auto& a, auto& b) { return a.name < b.name; });
  return verbs;
}

}  // namespace saccade::cli
