#include "tests/parity/golden.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/checkpoint.h"

namespace saccade::parity {

namespace fs = std::filesystem;

namespace {

Case read_case(const fs::path& folder) {
  const fs::path file = folder / "case.json";
  const std::string system = folder.parent_path().filename();
  try {
    Json json = read_json(file);
    Case c{folder, json, json_string(json, "system", file.string()),
           json_string(json, "model", file.string()), json_string(json, "kind", file.string())};
    return c;
  } catch (const Error& error) {
    return {folder, nullptr, system, "", "", error.what()};
  }
}

/// The cases of formats/bad: one for each entry of its manifest.
std::vector<Case> read_manifest(const fs::path& file) {
  std::vector<Case> cases;
  try {
    const Json manifest = read_json(file);
    for (const Json& entry : manifest.at("cases"))
      cases.push_back({file.parent_path() / json_string(entry, "file", file.string()), entry,
                       "formats", json_string(entry, "format", file.string()), "bad"});
  } catch (const std::exception& error) {
    cases.push_back({file.parent_path(), nullptr, "formats", "", "bad", error.what()});
  }
  return cases;
}

/// A manifest that lists format cases, as against a file of that name inside a case.
bool is_format_manifest(const fs::path& file) {
  if (!fs::is_regular_file(file)) return false;
  const std::string text = read_text(file);
  return text.find("\"readers\"") != text.npos && text.find("\"cases\"") != text.npos;
}

void discover_below(const fs::path& folder, std::vector<Case>& cases) {
  if (fs::exists(folder / "case.json")) {
    cases.push_back(read_case(folder));
    return;
  }
  if (fs::exists(folder / "expected.json")) {
    cases.push_back({folder, nullptr, "formats", folder.filename().string(), "good"});
    return;
  }
  if (is_format_manifest(folder / "manifest.json")) {
    std::ranges::move(read_manifest(folder / "manifest.json"), std::back_inserter(cases));
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory()) discover_below(entry.path(), cases);
}

bool is_integer(DType dtype) {
  switch (dtype) {
    case DType::BOOL:
    case DType::U8:
    case DType::I8:
    case DType::I16:
    case DType::U16:
    case DType::I32:
    case DType::U32:
    case DType::I64:
    case DType::U64: return true;
    default: return false;
  }
}

template <class T>
double element(const HostTensor& tensor, int64_t i) {
  return static_cast<double>(tensor.as<T>()[static_cast<size_t>(i)]);
}

/// Element i as a double (exact for every type here below 2^53).
double value_at(const HostTensor& tensor, int64_t i) {
  switch (tensor.dtype()) {
    case DType::F64: return element<double>(tensor, i);
    case DType::F32: return element<float>(tensor, i);
    case DType::F16: return f16_to_float(tensor.as<uint16_t>()[static_cast<size_t>(i)]);
    case DType::BF16: return bf16_to_float(tensor.as<uint16_t>()[static_cast<size_t>(i)]);
    case DType::I64: return element<int64_t>(tensor, i);
    case DType::U64: return element<uint64_t>(tensor, i);
    case DType::I32: return element<int32_t>(tensor, i);
    case DType::U32: return element<uint32_t>(tensor, i);
    case DType::I16: return element<int16_t>(tensor, i);
    case DType::U16: return element<uint16_t>(tensor, i);
    case DType::I8: return element<int8_t>(tensor, i);
    case DType::BOOL:
    case DType::U8: return element<uint8_t>(tensor, i);
    default:
      throw unsupported_error("no golden tensor has elements of type {}", name(tensor.dtype()));
  }
}

struct Tolerance {
  double atol = 0;
  double rtol = 0;
};

/// The tensor's own tolerance, else the case's.
Tolerance tolerance_of(const Case& c, std::string_view name) {
  const auto number = [&](const Json& from, const char* key) {
    return from.is_object() && from.contains(key) ? from.at(key).get<double>() : 0.0;
  };
  Json where = c.json.value("tolerance", Json::object());
  const Json tensors = c.json.value("tensors", Json::object());
  if (const auto own = tensors.find(name); own != tensors.end() && own->contains("atol"))
    where = *own;
  return {number(where, "atol"), number(where, "rtol")};
}

bool within(double actual, double golden, const Tolerance& tolerance) {
  if (std::isnan(golden)) return std::isnan(actual);
  if (actual == golden) return true;
  return std::abs(actual - golden) <= tolerance.atol + tolerance.rtol * std::abs(golden);
}

/// "[1, 0, 7]" for element i of a row-major tensor.
std::string place(int64_t i, const Shape& shape) {
  Shape index(shape.size());
  for (size_t d = shape.size(); d-- > 0; i /= shape[d]) index[d] = i % shape[d];
  return to_string(index);
}

}  // namespace

std::vector<Case> discover(const fs::path& root) {
  if (!fs::is_directory(root)) throw usage_error("{}: there is no such folder", root.string());
  std::vector<Case> cases;
  discover_below(root.lexically_normal(), cases);
  std::ranges::sort(cases, {}, &Case::folder);
  return cases;
}

HostTensor Case::golden(std::string_view name) const {
  const fs::path file = folder / "golden.safetensors";
  const auto checkpoint = checkpoint::Checkpoint::open(file);
  for (const auto& entry : checkpoint.entries())
    if (entry.path == name) return contiguous(entry.view, entry.owner);
  throw input_error(file.string(), "there is no tensor '{}'", name);
}

std::string compare(const Case& c, std::string_view name, const HostTensor& actual) {
  const HostTensor golden = c.golden(name);
  if (actual.shape() != golden.shape())
    return fmt::format("{}: shape {}, golden {}", name, to_string(actual.shape()),
                       to_string(golden.shape()));
  Tolerance tolerance = tolerance_of(c, name);
  if (is_integer(golden.dtype())) tolerance = {};
  int64_t failures = 0, worst = -1;
  double largest = -1;
  for (int64_t i = 0; i < golden.numel(); ++i) {
    const double x = value_at(actual, i), g = value_at(golden, i);
    if (within(x, g, tolerance)) continue;
    ++failures;
    const double distance = std::isnan(x - g) ? HUGE_VAL : std::abs(x - g);
    if (distance > largest) worst = i, largest = distance;
  }
  if (failures == 0) return "";
  return fmt::format(
      "{}: {} of {} elements differ, most at {}: {} instead of {} (atol {}, rtol {})", name,
      failures, golden.numel(), place(worst, golden.shape()), value_at(actual, worst),
      value_at(golden, worst), tolerance.atol, tolerance.rtol);
}

}  // namespace saccade::parity
