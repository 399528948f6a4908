#include "saccade/base/json.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>
#include <vector>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/json_events.h"

namespace saccade {
namespace {

/// Builds the tree from the events. Equal keys are found when an object closes, by sorting.
class TreeBuilder : public JsonEvents {
 public:
  TreeBuilder(std::string_view file, Json& root) : file_(file), next_(&root) {}

  void begin_object(uint64_t) override { open(Json::object()); }
  void begin_array(uint64_t) override { open(Json::array()); }
  void end_object(uint64_t) override {
    check_keys();
    close();
  }
  void end_array(uint64_t) override { close(); }
  void key(std::string name, uint64_t offset) override {
    // ordered_json's own insertion searches all keys first, which is quadratic.
    auto& object = open_.back()->get_ref<Json::object_t&>();
    static_cast<Json::object_t::Container&>(object).emplace_back(std::move(name), nullptr);
    key_offsets_.back().push_back(offset);
    next_ = &object.back().second;
  }
  void string(std::string value, uint64_t) override { place(std::move(value)); }
  void boolean(bool value, uint64_t) override { place(value); }
  void null(uint64_t) override { place(nullptr); }
  void number(std::string_view text, bool integer, uint64_t offset) override {
    int64_t whole = 0;
    uint64_t large = 0;
    if (integer && parse(text, whole)) return place(whole);
    if (integer && parse(text, large)) return place(large);
    place(real(text, offset));
  }

 private:
  template <class Number>
  static bool parse(std::string_view text, Number& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }

  double real(std::string_view text, uint64_t offset) const {
    double value = 0.0;
    if (parse(text, value)) return value;
    const auto exponent = text.find_first_of("eE");
    const bool tiny = text.substr(0, exponent).find_first_of("123456789") == text.npos ||
                      (exponent != text.npos && text[exponent + 1] == '-');
    if (!tiny) throw input_error_at(file_, offset, "not valid JSON: the number is too large");
    return 0.0;
  }

  void place(Json value) {
    if (next_ == nullptr) {
      open_.back()->push_back(std::move(value));
    } else {
      *std::exchange(next_, nullptr) = std::move(value);
    }
  }

  void open(Json container) {
    Json* const at =
        next_ != nullptr ? std::exchange(next_, nullptr) : &open_.back()->emplace_back();
    *at = std::move(container);
    open_.push_back(at);
    key_offsets_.emplace_back();
  }

  void close() {
    open_.pop_back();
    key_offsets_.pop_back();
  }

  void check_keys() const {
    const Json::object_t::Container& object = open_.back()->get_ref<const Json::object_t&>();
    std::vector<size_t> order(object.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(
        order, {}, [&](size_t i) -> auto& { return object[i].first; });
    const auto same = std::ranges::adjacent_find(
        order, {}, [&](size_t i) -> auto& { return object[i].first; });
    if (same != order.end())
      throw input_error_at(file_, key_offsets_.back()[*std::next(same)], "JSON key \"{}\" twice",
                           object[*same].first);
  }

  std::string_view file_;
  Json* next_;  ///< where the next value goes; null: at the end of the open array
  std::vector<Json*> open_;
  std::vector<std::vector<uint64_t>> key_offsets_;
};

const Json& field(const Json& value, std::string_view key, std::string_view where) {
  const auto it = value.find(key);
  if (it == value.end()) throw input_error(where, "\"{}\" is missing", key);
  return *it;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view file, int max_depth) {
  Json root;
  TreeBuilder builder(file, root);
  parse_json_events(text, {file, 0, max_depth}, builder);
  return root;
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
