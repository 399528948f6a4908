#include "saccade/checkpoint/pickle/values.h"

#include <array>
#include <charconv>
#include <cmath>

#include "saccade/base/check.h"

namespace saccade::checkpoint::pickle {
namespace {

// Deeper tuples are no sensible dictionary keys.
constexpr int kMaxKeyDepth = 16;
constexpr size_t kMaxKeySize = 4096;
constexpr int kMaxKeyItems = 64;

/// Python's choice of quotes and escapes.
void append_quoted(std::string& out, std::string_view text, bool raw_bytes) {
  const bool single = text.find('\'') == text.npos || text.find('"') != text.npos;
  const char quote = single ? '\'' : '"';
  out += quote;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f || (raw_bytes && byte > 0x7f)) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += quote;
}

/// The shortest digits that give the number back, laid out as Python does.
std::string real_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double magnitude = std::abs(value);
  const bool plain = magnitude == 0.0 || (magnitude >= 1e-4 && magnitude < 1e16);
  std::array<char, 64> buffer{};
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  std::string text(buffer.data(), end);
  if (plain && text.find('.') == text.npos) text += ".0";
  return text;
}

bool append_repr(const Heap& heap, const Value& value, std::string& out, int depth) {
  if (out.size() > kMaxKeySize) return false;
  switch (value.kind) {
    case Kind::none: out += "None"; return true;
    case Kind::boolean: out += value.integer != 0 ? "True" : "False"; return true;
    case Kind::integer: out += std::to_string(value.integer); return true;
    case Kind::big: out += value.text(); return true;
    case Kind::real: out += real_repr(value.real); return true;
    case Kind::text: append_quoted(out, value.text(), false); return true;
    case Kind::bytes: append_quoted(out += 'b', value.text(), true); return true;
    case Kind::tuple: {
      if (depth == 0) return false;
      const auto& items = heap.items(value);
      out += '(';
      for (size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ", ";
        if (!append_repr(heap, items[i], out, depth - 1)) return false;
      }
      out += items.size() == 1 ? ",)" : ")";
      return true;
    }
    default: return false;
  }
}

/// `visits` bounds the work: tuples that share their items have exponentially many leaves.
bool hashable(const Heap& heap, const Value& value, int depth, int& visits) {
  if (--visits < 0) return false;
  switch (value.kind) {
    case Kind::list:
    case Kind::dict:
    case Kind::set:
    case Kind::array: return false;
    case Kind::tuple:
      if (depth == 0) return false;
      for (const auto& item : heap.items(value))
        if (!hashable(heap, item, depth - 1, visits)) return false;
      return true;
    default: return true;
  }
}

}  // namespace

std::string_view name(Kind kind) {
  constexpr std::array<std::string_view, 20> kNames{
      "None",   "bool",    "int",    "int",    "float",      "str",        "bytes",
      "list",   "tuple",   "dict",   "set",    "frozenset",  "torch.Size", "class",
      "object", "storage", "tensor", "tensor", "numpy type", "array"};
  return kNames[static_cast<size_t>(kind)];
}

Value Heap::make(Kind kind, std::vector<Value> items) {
  take(items.size() * sizeof(Value));
  return put(kind, nodes, Node{std::move(items)});
}

Value Heap::make(Tensor tensor) {
  take((tensor.shape.size() + tensor.strides.size()) * sizeof(int64_t) + 64);
  return put(Kind::tensor, tensors, std::move(tensor));
}

Value Heap::make(Kind kind, std::string text) {
  take(text.size() + 2 * sizeof(std::string));
  return make_text(kind, strings_->emplace_back(std::move(text)));
}

void Heap::append(const Value& container, const Value& item) {
  take(2 * sizeof(Value));
  items(container).push_back(item);
}

Value make_integer(int64_t integer) {
  Value value;
  value.kind = Kind::integer;
  value.integer = integer;
  return value;
}

Value make_boolean(bool boolean) {
  Value value;
  value.kind = Kind::boolean;
  value.integer = boolean ? 1 : 0;
  return value;
}

Value make_real(double real) {
  Value value;
  value.kind = Kind::real;
  value.real = real;
  return value;
}

Value make_text(Kind kind, std::string_view text) {
  SACCADE_CHECK(text.size() <= UINT32_MAX, "a text of {} bytes", text.size());
  Value value;
  value.kind = kind;
  value.index = static_cast<uint32_t>(text.size());
  value.data = text.data();
  return value;
}

std::optional<std::string> key_repr(const Heap& heap, const Value& key) {
  std::string text;
  if (!append_repr(heap, key, text, kMaxKeyDepth)) return std::nullopt;
  return text;
}

bool is_hashable(const Heap& heap, const Value& value) {
  int visits = kMaxKeyItems;
  return hashable(heap, value, kMaxKeyDepth, visits);
}

}  // namespace saccade::checkpoint::pickle
