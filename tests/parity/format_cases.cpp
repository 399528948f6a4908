// Cases of formats/: good files must list exactly what expected.json says, malformed ones must be
// refused as bad input with a message that names the file (golden/formats/FORMATS.md, section 7).

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/ranges.h>

#include "apps/cli/inspection.h"
#include "saccade/base/error.h"
#include "tests/parity/golden.h"

namespace saccade::parity {
namespace {

namespace fs = std::filesystem;

const cli::InspectOptions kReadAll{.hash = true};

/// What `saccade inspect --hash --json` prints.
Json listing(const fs::path& file) {
  const auto inspection = cli::inspect(file, kReadAll);
  std::ostringstream out;
  cli::write_json(inspection, kReadAll, out);
  return parse_json(out.str(), "the listing");
}

/// One line for each tensor, whatever the order of its keys.
std::multiset<std::string> tensor_lines(const Json& tensors) {
  std::multiset<std::string> lines;
  for (const auto& tensor : tensors) {
    std::string line;
    for (const char* key :
         {"path", "name", "dtype", "shape", "sha256", "parameter", "requires_grad", "numpy"})
      line += tensor.value(key, Json(nullptr)).dump() + " ";
    lines.insert(line);
  }
  return lines;
}

std::multiset<std::string> groups(const Json& json) {
  std::multiset<std::string> lines;
  for (const auto& group : json.value("shared_storage", Json::array())) {
    auto paths = group.get<std::vector<std::string>>();
    std::ranges::sort(paths);
    lines.insert(fmt::format("{}", fmt::join(paths, ", ")));
  }
  return lines;
}

/// "" if both are equal, else the first difference.
std::string difference(const std::multiset<std::string>& actual,
                       const std::multiset<std::string>& expected, std::string_view what) {
  for (const auto& line : expected)
    if (!actual.contains(line)) return fmt::format("{}: missing {}", what, line);
  for (const auto& line : actual)
    if (!expected.contains(line)) return fmt::format("{}: surplus {}", what, line);
  return actual.size() == expected.size() ? "" : fmt::format("{}: counts differ", what);
}

/// A value of the metadata, for every path that expected.json names.
std::string compare_values(const Json& metadata, const Json& expected) {
  for (const auto& [path, value] : expected.items())
    if (!metadata.contains(path) || metadata.at(path) != value)
      return fmt::format("value {}: {}, expected {}", path,
                         metadata.value(path, Json("nothing")).dump(), value.dump());
  return "";
}

Outcome judge_good(const Case& c) {
  const auto expected = read_json(c.folder / "expected.json");
  const auto file = c.folder / expected.at("file").get<std::string>();
  const auto expect = expected.at("expect").get<std::string>();
  Json found;
  try {
    found = listing(file);
  } catch (const Error& error) {
    const bool may_refuse = expect != "list" && error.kind() == ErrorKind::bad_input;
    return {may_refuse ? Status::passed : Status::failed, error.what()};
  }
  if (expect == "refuse") return {Status::failed, "listed, not refused"};
  for (const auto& problem :
       {difference(tensor_lines(found.at("tensors")), tensor_lines(expected.at("tensors")),
                   "tensors"),
        difference(groups(found), groups(expected), "shared storage"),
        compare_values(found.at("metadata"), expected.value("values", Json::object()))})
    if (!problem.empty()) return {Status::failed, problem};
  return {Status::passed, ""};
}

Outcome judge_bad(const Case& c) {
  const auto expect = c.json.at("expect").get<std::string>();
  try {
    static_cast<void>(listing(c.folder));
  } catch (const Error& error) {
    const std::string what = error.what();
    if (error.kind() != ErrorKind::bad_input)
      return {Status::failed, fmt::format("another kind of error: {}", what)};
    if (what.find(c.folder.filename().string()) == what.npos)
      return {Status::failed, fmt::format("the message does not name the file: {}", what)};
    return {expect == "accept" ? Status::failed : Status::passed, what};
  }
  if (const auto trace = c.json.value("must_not_create", ""); !trace.empty() && fs::exists(trace))
    return {Status::failed, fmt::format("the payload wrote {}", trace)};
  return {expect == "refuse" ? Status::failed : Status::passed, "listed"};
}

}  // namespace

std::optional<Outcome> run_format_case(const Case& c) {
  if (c.system != "formats") return std::nullopt;
  return c.kind == "good" ? judge_good(c) : judge_bad(c);
}

}  // namespace saccade::parity
