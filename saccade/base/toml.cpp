#include "saccade/base/toml.h"

#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

#include "saccade/base/error.h"
#include "saccade/base/file.h"

namespace saccade {
namespace {

constexpr size_t kLargestFile = 4 << 20;
// The parser bounds nested values (TOML_MAX_NESTED_VALUES, 256) but not the parts of a dotted key;
// each of both is a level of its tables, which are destroyed recursively.
constexpr int kMostKeyDots = 32;
constexpr int kDeepest = 64;

template <class Value>
std::string text_of(const Value& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

/// Just behind the string, or the line if it does not end, that starts at `begin` with a quote.
size_t skip_string(std::string_view text, size_t begin) {
  const char quote = text[begin];
  const bool lines = text.substr(begin, 3) == std::string(3, quote);
  const std::string mark(lines ? 3 : 1, quote);
  for (size_t i = begin + mark.size(); i < text.size(); ++i) {
    if (text[i] == '\n' && !lines) return i;
    if (text.substr(i, mark.size()) == mark) return i + mark.size();
    if (quote == '"' && text[i] == '\\') ++i;
  }
  return text.size();
}

/// Refuses keys of very many parts before the parser builds a table for each of them.
void check_keys(std::string_view text, std::string_view file) {
  int dots = 0;
  int64_t line = 1;
  for (size_t i = 0; i < text.size();) {
    size_t next = i + 1;
    const char c = text[i];
    if (c == '"' || c == '\'') next = skip_string(text, i);
    if (c == '#') next = std::min(text.find('\n', i), text.size());
    if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos) dots = 0;
    if (c == '.' && ++dots > kMostKeyDots)
      throw input_error(file, "line {}: a key of more than {} parts", line, kMostKeyDots + 1);
    const auto passed = text.substr(i, next - i);
    line += std::count(passed.begin(), passed.end(), '\n');
    i = next;
  }
}

Json to_json(const toml::node& node, std::string_view file, int depth = 0) {
  if (depth > kDeepest) {
    const auto& place = node.source().begin;
    throw input_error(file, "line {}, column {}: nested deeper than {}", place.line, place.column,
                      kDeepest);
  }
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table)
      object[std::string(key.str())] = to_json(value, file, depth + 1);
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const auto& value : *array) list.push_back(to_json(value, file, depth + 1));
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
  check_keys(text, file);
  try {
    return to_json(toml::parse(text), file);
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
