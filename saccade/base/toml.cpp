#include "saccade/base/toml.h"

#include <sstream>

#include <toml++/toml.h>

#include "saccade/base/error.h"
#include "saccade/base/file.h"

namespace saccade {
namespace {

constexpr size_t kLargestFile = 4 << 20;

template <class Value>
std::string text_of(const Value& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

// Depth is bounded by the parser (TOML_MAX_NESTED_VALUES, 256).
Json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_json(value);
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const auto& value : *array) list.push_back(to_json(value));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* boolean = node.as_boolean()) return boolean->get();
  if (const auto* date = node.as_date()) return text_of(date->get());
  if (const auto* time = node.as_time()) return text_of(time->get());
  return text_of(node.as_date_time()->get());
}

}  // namespace

Json parse_toml(std::string_view text, std::string_view file) {
  try {
    return to_json(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    throw input_error(file, "line {}, column {}: {}", place.line, place.column,
                      error.description());
  }
}

Json read_toml(const std::filesystem::path& path) {
  return parse_toml(read_text(path, kLargestFile), path.string());
}

}  // namespace saccade
