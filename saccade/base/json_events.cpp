#include "saccade/base/json_events.h"

#include <charconv>
#include <vector>

#include "saccade/base/error.h"
#include "saccade/base/utf8.h"

namespace saccade {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const JsonSource& source, JsonEvents& events)
      : text_(text), source_(source), events_(events) {}

  void run() {
    if (const auto bad = find_invalid_utf8(text_); bad != text_.npos) {
      at_ = bad;
      throw fail("not valid JSON: the bytes are no UTF-8");
    }
    skip_space();
    do {
      value();
    } while (!open_.empty());
    skip_space();
    if (at_ != text_.size()) throw fail("not valid JSON: something follows the value");
  }

 private:
  enum class Container : char { object, array };

  template <class... Args>
  [[nodiscard]] Error fail(fmt::format_string<Args...> text, Args&&... args) const {
    return input_error_at(source_.file, source_.origin + at_, text, std::forward<Args>(args)...);
  }

  [[nodiscard]] uint64_t offset() const { return source_.origin + at_; }
  [[nodiscard]] int peek() const {
    return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  /// One scalar or the opening of a container, then everything that closes behind it.
  void value() {
    switch (peek()) {
      case '{': return open(Container::object);
      case '[': return open(Container::array);
      case '"': {
        const auto start = offset();
        events_.string(quoted(), start);
        break;
      }
      case 't': events_.boolean(true, literal("true")); break;
      case 'f': events_.boolean(false, literal("false")); break;
      case 'n': events_.null(literal("null")); break;
      case -1: throw fail("not valid JSON: the text ends where a value is expected");
      default: number();
    }
    after_value();
  }

  void open(Container container) {
    if (static_cast<int>(open_.size()) >= source_.max_depth)
      throw fail("JSON nested deeper than {}", source_.max_depth);
    const bool object = container == Container::object;
    object ? events_.begin_object(offset()) : events_.begin_array(offset());
    open_.push_back(container);
    ++at_;
    skip_space();
    if (peek() == (object ? '}' : ']')) {
      close();
      after_value();
    } else if (object) {
      key();
    }
  }

  void close() {
    open_.back() == Container::object ? events_.end_object(offset()) : events_.end_array(offset());
    open_.pop_back();
    ++at_;
  }

  void key() {
    if (peek() != '"') throw fail("not valid JSON: a quoted key is expected");
    const auto start = offset();
    events_.key(quoted(), start);
    skip_space();
    if (peek() != ':') throw fail("not valid JSON: ':' is expected");
    ++at_;
    skip_space();
  }

  /// Behind a value: closes containers and stands before the next value, if there is one.
  void after_value() {
    while (!open_.empty()) {
      skip_space();
      const bool object = open_.back() == Container::object;
      const int next = peek();
      if (next == ',') {
        ++at_;
        skip_space();
        if (object) key();
        return;
      }
      if (next != (object ? '}' : ']'))
        throw fail("not valid JSON: ',' or '{}' is expected", object ? '}' : ']');
      close();
    }
  }

  uint64_t literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) throw fail("not valid JSON: unknown word");
    const auto start = offset();
    at_ += word.size();
    return start;
  }

  size_t digits() {
    const auto start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - start;
  }

  void number() {
    const auto start = at_;
    if (peek() == '-') ++at_;
    const auto first = at_;
    const auto count = digits();
    if (count == 0) throw fail("not valid JSON: a value is expected");
    if (count > 1 && text_[first] == '0') throw fail("not valid JSON: a leading zero");
    bool integer = true;
    if (peek() == '.') {
      integer = false;
      ++at_;
      if (digits() == 0) throw fail("not valid JSON: a digit is expected");
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (digits() == 0) throw fail("not valid JSON: a digit is expected");
    }
    events_.number(text_.substr(start, at_ - start), integer, source_.origin + start);
  }

  std::string quoted() {
    std::string out;
    for (++at_;;) {
      const auto start = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20)
        ++at_;
      out.append(text_.substr(start, at_ - start));
      switch (peek()) {
        case '"': ++at_; return out;
        case '\\': escape(out); break;
        case -1: throw fail("not valid JSON: a string does not end");
        default: throw fail("not valid JSON: a control character in a string");
      }
    }
  }

  void escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const auto letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (letter == 'u') return unicode_escape(out);
    const auto index = kLetters.find(letter);
    if (index == kLetters.npos) throw fail("not valid JSON: an unknown escape");
    out += kMeanings[index];
    at_ += 2;
  }

  void unicode_escape(std::string& out) {
    uint32_t code = hex4();
    if (code >= 0xdc00 && code < 0xe000) throw fail("not valid JSON: a lone surrogate");
    if (code >= 0xd800 && code < 0xdc00) {
      if (text_.substr(at_, 2) != "\\u") throw fail("not valid JSON: a lone surrogate");
      const uint32_t low = hex4();
      if (low < 0xdc00 || low >= 0xe000) throw fail("not valid JSON: a lone surrogate");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
  }

  /// The four digits of the \uXXXX that starts here.
  uint32_t hex4() {
    const auto hex = text_.substr(at_, 6).substr(2);
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (hex.size() != 4 || error != std::errc{} || end != hex.data() + 4)
      throw fail("not valid JSON: an escape needs four hexadecimal digits");
    at_ += 6;
    return code;
  }

  std::string_view text_;
  const JsonSource& source_;
  JsonEvents& events_;
  size_t at_ = 0;
  std::vector<Container> open_;
};

}  // namespace

void parse_json_events(std::string_view text, const JsonSource& source, JsonEvents& events) {
  Parser(text, source, events).run();
}

bool parse_unsigned(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace saccade
