#include "saccade/base/json.h"

#include <unordered_set>
#include <vector>

#include "saccade/base/error.h"
#include "saccade/base/file.h"

namespace saccade {
namespace {

/// Watches the parser's events: depth, and the keys of every open object.
class Guard {
 public:
  Guard(std::string_view file, int max_depth) : file_(file), max_depth_(max_depth) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= max_depth_) throw input_error(file_, "JSON nested deeper than {}", max_depth_);
      keys_.emplace_back();
    } else if (event == Event::object_end || event == Event::array_end) {
      keys_.pop_back();
    } else if (event == Event::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) throw input_error(file_, "JSON key \"{}\" twice", key);
    }
    return true;
  }

 private:
  std::string_view file_;
  int max_depth_;
  std::vector<std::unordered_set<std::string>> keys_;
};

const Json& field(const Json& value, std::string_view key, std::string_view where) {
  const auto it = value.find(key);
  if (it == value.end()) throw input_error(where, "\"{}\" is missing", key);
  return *it;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view file, int max_depth) {
  Guard guard(file, max_depth);
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t event, Json& parsed) {
      return guard(depth, event, parsed);
    });
  } catch (const Json::parse_error& e) {
    std::string_view what = e.what();  // "[json.exception...] parse error at line 1, column 2: ..."
    if (const auto at = what.find(": "); at != what.npos) what.remove_prefix(at + 2);
    throw input_error_at(file, e.byte, "not valid JSON: {}", what);
  } catch (const Json::exception& e) {
    throw input_error(file, "not valid JSON: {}", e.what());
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_text(path), path.string());
}

int64_t json_int(const Json& value, std::string_view key, std::string_view where) {
  const auto& found = field(value, key, where);
  if (found.is_number_unsigned() && found.get<uint64_t>() > uint64_t{INT64_MAX})
    throw input_error(where, "\"{}\" is too large: {}", key, found.dump());
  if (found.is_number_integer()) return found.get<int64_t>();
  throw input_error(where, "\"{}\" must be an integer, is {}", key, found.dump());
}

double json_number(const Json& value, std::string_view key, std::string_view where) {
  const auto& found = field(value, key, where);
  if (!found.is_number())
    throw input_error(where, "\"{}\" must be a number, is {}", key, found.dump());
  return found.get<double>();
}

bool json_bool(const Json& value, std::string_view key, std::string_view where) {
  const auto& found = field(value, key, where);
  if (!found.is_boolean())
    throw input_error(where, "\"{}\" must be true or false, is {}", key, found.dump());
  return found.get<bool>();
}

std::string json_string(const Json& value, std::string_view key, std::string_view where) {
  const auto& found = field(value, key, where);
  if (!found.is_string())
    throw input_error(where, "\"{}\" must be a string, is {}", key, found.dump());
  return found.get<std::string>();
}

}  // namespace saccade
