#include "saccade/checkpoint/pickle/machine.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "saccade/base/utf8.h"
#include "saccade/checkpoint/pickle/numbers.h"

namespace saccade::checkpoint::pickle {
namespace {

constexpr int kHighestProtocol = 5;
constexpr size_t kMaxLongSize = 256;  // bytes of an integer
constexpr size_t kMaxMemoGap = 256;   // writers number the slots in order
constexpr size_t kMaxMarks = 4096;
constexpr size_t kMaxLine = size_t{1} << 30;

/// The opcodes by their names in pickletools.py.
enum Opcode : uint8_t {
  MARK = '(',
  STOP = '.',
  POP = '0',
  POP_MARK = '1',
  DUP = '2',
  FLOAT = 'F',
  INT = 'I',
  BININT = 'J',
  BININT1 = 'K',
  LONG = 'L',
  BININT2 = 'M',
  NONE = 'N',
  BINPERSID = 'Q',
  REDUCE = 'R',
  STRING = 'S',
  BINSTRING = 'T',
  SHORT_BINSTRING = 'U',
  UNICODE = 'V',
  BINUNICODE = 'X',
  APPEND = 'a',
  BUILD = 'b',
  GLOBAL = 'c',
  DICT = 'd',
  EMPTY_DICT = '}',
  APPENDS = 'e',
  GET = 'g',
  BINGET = 'h',
  INST = 'i',
  LONG_BINGET = 'j',
  LIST = 'l',
  EMPTY_LIST = ']',
  OBJ = 'o',
  PUT = 'p',
  BINPUT = 'q',
  LONG_BINPUT = 'r',
  SETITEM = 's',
  TUPLE = 't',
  EMPTY_TUPLE = ')',
  SETITEMS = 'u',
  BINFLOAT = 'G',
  BINBYTES = 'B',
  SHORT_BINBYTES = 'C',
  PROTO = 0x80,
  NEWOBJ = 0x81,
  TUPLE1 = 0x85,
  TUPLE2 = 0x86,
  TUPLE3 = 0x87,
  NEWTRUE = 0x88,
  NEWFALSE = 0x89,
  LONG1 = 0x8a,
  LONG4 = 0x8b,
  SHORT_BINUNICODE = 0x8c,
  BINUNICODE8 = 0x8d,
  BINBYTES8 = 0x8e,
  EMPTY_SET = 0x8f,
  ADDITEMS = 0x90,
  FROZENSET = 0x91,
  NEWOBJ_EX = 0x92,
  STACK_GLOBAL = 0x93,
  MEMOIZE = 0x94,
  FRAME = 0x95,
  BYTEARRAY8 = 0x96,
};

}  // namespace

Value Machine::run() {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  memo_used_.clear();
  at_ = source_.position;
  for (;;) {
    source_.position = at_;
    const auto opcode = number<uint8_t>();
    if (opcode == STOP) break;
    step(opcode);
  }
  const auto result = pop();
  if (!stack_.empty() || !marks_.empty())
    throw source_.fail("the pickle ends with {} more values on its stack",
                       stack_.size() + marks_.size());
  source_.position = at_;
  return result;
}

void Machine::step(uint8_t opcode) {
  if (!step_number(opcode) && !step_text(opcode) && !step_container(opcode) && !step_memo(opcode) &&
      !step_object(opcode))
    throw source_.fail("pickle opcode {:#04x} is unknown or holds no data", opcode);
}

bool Machine::step_number(uint8_t opcode) {
  switch (opcode) {
    case NONE: push({}); return true;
    case NEWTRUE: push(make_boolean(true)); return true;
    case NEWFALSE: push(make_boolean(false)); return true;
    case BININT: push(make_integer(number<int32_t>())); return true;
    case BININT1: push(make_integer(number<uint8_t>())); return true;
    case BININT2: push(make_integer(number<uint16_t>())); return true;
    case LONG1: push_long(bytes(number<uint8_t>())); return true;
    case LONG4: push_long(bytes(number<uint32_t>())); return true;
    case BINFLOAT:
      push(make_real(std::bit_cast<double>(__builtin_bswap64(number<uint64_t>()))));
      return true;
    case INT: push_int_line(); return true;
    case LONG: push_long_line(); return true;
    case FLOAT: push_float_line(); return true;
    default: return false;
  }
}

bool Machine::step_text(uint8_t opcode) {
  switch (opcode) {
    case BINUNICODE: push_text(Kind::text, bytes(number<uint32_t>())); return true;
    case SHORT_BINUNICODE: push_text(Kind::text, bytes(number<uint8_t>())); return true;
    case BINUNICODE8: push_text(Kind::text, bytes(number<uint64_t>())); return true;
    case BINSTRING: push_python2(bytes(number<uint32_t>())); return true;
    case SHORT_BINSTRING: push_python2(bytes(number<uint8_t>())); return true;
    case BINBYTES: push_text(Kind::bytes, bytes(number<uint32_t>())); return true;
    case SHORT_BINBYTES: push_text(Kind::bytes, bytes(number<uint8_t>())); return true;
    case BINBYTES8:
    case BYTEARRAY8: push_text(Kind::bytes, bytes(number<uint64_t>())); return true;
    case STRING:
    case UNICODE: {
      const auto text = opcode == STRING ? unquote(line()) : raw_unicode(line());
      if (!text) throw source_.fail("a text in the pickle is malformed");
      const auto value = heap_.make(Kind::text, *text);
      push_text(Kind::text, value.text());
      return true;
    }
    default: return false;
  }
}

bool Machine::step_container(uint8_t opcode) {
  switch (opcode) {
    case EMPTY_LIST: push(heap_.make(Kind::list)); return true;
    case EMPTY_DICT: push(heap_.make(Kind::dict)); return true;
    case EMPTY_SET: push(heap_.make(Kind::set)); return true;
    case EMPTY_TUPLE: push(heap_.make(Kind::tuple)); return true;
    case LIST: push(heap_.make(Kind::list, pop_mark())); return true;
    case TUPLE: push(heap_.make(Kind::tuple, pop_mark())); return true;
    case TUPLE1: push_tuple(1); return true;
    case TUPLE2: push_tuple(2); return true;
    case TUPLE3: push_tuple(3); return true;
    case DICT: push(make_dict(pop_mark())); return true;
    case FROZENSET: {
      auto items = pop_mark();
      check_members(items);
      push(heap_.make(Kind::frozenset, std::move(items)));
      return true;
    }
    case APPEND: append_items({pop()}); return true;
    case APPENDS: append_items(pop_mark()); return true;
    case ADDITEMS: add_items(pop_mark()); return true;
    case SETITEM: {
      const auto value = pop(), key = pop();
      set_items({key, value});
      return true;
    }
    case SETITEMS: set_items(pop_mark()); return true;
    default: return false;
  }
}

bool Machine::step_memo(uint8_t opcode) {
  switch (opcode) {
    case PUT: remember(line_number("memo slot")); return true;
    case BINPUT: remember(number<uint8_t>()); return true;
    case LONG_BINPUT: remember(number<uint32_t>()); return true;
    case MEMOIZE: remember(memo_.size()); return true;
    case GET: recall(line_number("memo slot")); return true;
    case BINGET: recall(number<uint8_t>()); return true;
    case LONG_BINGET: recall(number<uint32_t>()); return true;
    case MARK:
      if (marks_.size() >= kMaxMarks)
        throw source_.fail("the pickle opens more than {} marks", kMaxMarks);
      marks_.push_back(stack_.size());
      return true;
    case POP:
      if (stack_.size() > floor() || marks_.empty()) {
        static_cast<void>(pop());
      } else {
        marks_.pop_back();
      }
      return true;
    case POP_MARK: static_cast<void>(pop_mark()); return true;
    case DUP: push(Value(top())); return true;
    default: return false;
  }
}

bool Machine::step_object(uint8_t opcode) {
  switch (opcode) {
    case PROTO:
      if (const int protocol = number<uint8_t>(); protocol > kHighestProtocol)
        throw source_.fail("pickle protocol {} is newer than {}", protocol, kHighestProtocol);
      return true;
    case FRAME:
      if (const auto size = number<uint64_t>(); size > source_.stream.size() - at_)
        throw source_.fail("a pickle frame of {} bytes is longer than the stream", size);
      return true;
    case GLOBAL: push_global(); return true;
    case STACK_GLOBAL: push_stack_global(); return true;
    case REDUCE: {
      const auto args = pop(), callable = pop();
      push(builder_.reduce(callable, args));
      return true;
    }
    case NEWOBJ: push_instance(false); return true;
    case NEWOBJ_EX: push_instance(true); return true;
    case INST: {
      push_global();
      const auto cls = pop();
      push(builder_.reduce(cls, heap_.make(Kind::tuple, pop_mark())));
      return true;
    }
    case OBJ: {
      auto items = pop_mark();
      if (items.empty()) throw source_.fail("OBJ without a class in the pickle");
      const auto cls = items.front();
      items.erase(items.begin());
      push(builder_.reduce(cls, heap_.make(Kind::tuple, std::move(items))));
      return true;
    }
    case BUILD: {
      const auto state = pop();
      builder_.build(top(), state);
      return true;
    }
    case BINPERSID: {
      const auto id = pop();
      push(builder_.persistent(id));
      return true;
    }
    default: return false;
  }
}

std::string_view Machine::bytes(uint64_t count) {
  if (count > source_.stream.size() - at_)
    throw source_.fail("the pickle is cut: {} bytes are needed, {} are left", count,
                       source_.stream.size() - at_);
  const auto result = source_.stream.substr(at_, count);
  at_ += count;
  return result;
}

template <class T>
T Machine::number() {
  T value{};
  std::memcpy(&value, bytes(sizeof(T)).data(), sizeof(T));
  return value;
}

std::string_view Machine::line() {
  const auto end = source_.stream.find('\n', at_);
  if (end == std::string_view::npos) throw source_.fail("the pickle is cut: a line does not end");
  const auto result = source_.stream.substr(at_, end - at_);
  if (result.size() > kMaxLine) throw source_.fail("a line in the pickle is too long");
  at_ = end + 1;
  return result;
}

uint64_t Machine::line_number(std::string_view what) {
  const auto text = line();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw source_.fail("the pickle spells a {} that is no number", what);
  return value;
}

void Machine::push(const Value& value) {
  stack_.push_back(value);
  if (stack_.size() > high_water_) {
    high_water_ = stack_.size();
    heap_.take(2 * sizeof(Value));
  }
}

Value Machine::pop() {
  if (stack_.size() <= floor()) throw source_.fail("the pickle takes from an empty stack");
  const auto value = stack_.back();
  stack_.pop_back();
  return value;
}

Value& Machine::top() {
  if (stack_.size() <= floor()) throw source_.fail("the pickle takes from an empty stack");
  return stack_.back();
}

std::vector<Value> Machine::pop_mark() {
  if (marks_.empty()) throw source_.fail("the pickle takes up to a mark that it never set");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Value> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void Machine::push_text(Kind kind, std::string_view text) {
  if (text.size() > UINT32_MAX) throw source_.fail("a text of {} bytes is too long", text.size());
  if (kind == Kind::text && find_invalid_utf8(text, true) != text.npos)
    throw source_.fail("a text in the pickle is no UTF-8");
  push(make_text(kind, text));
}

void Machine::push_python2(std::string_view text) {
  const bool utf8 = find_invalid_utf8(text) == text.npos;
  push_text(utf8 ? Kind::text : Kind::bytes, text);
}

void Machine::push_long(std::string_view little_endian) {
  if (little_endian.size() > kMaxLongSize)
    throw source_.fail("an integer of {} bytes is too long", little_endian.size());
  if (little_endian.size() > sizeof(int64_t))
    return push(heap_.make(Kind::big, decimal(little_endian)));
  const bool negative = !little_endian.empty() && (little_endian.back() & 0x80) != 0;
  int64_t value = negative ? -1 : 0;
  std::memcpy(&value, little_endian.data(), little_endian.size());
  push(make_integer(value));
}

void Machine::push_int_line() {
  const auto text = line();
  if (text == "00" || text == "01") return push(make_boolean(text == "01"));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw source_.fail("the pickle spells an integer that is none");
  push(make_integer(value));
}

void Machine::push_long_line() {
  auto text = line();
  if (text.ends_with('L')) text.remove_suffix(1);
  if (!is_decimal(text)) throw source_.fail("the pickle spells an integer that is none");
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return push(make_integer(value));
  push(heap_.make(Kind::big, std::string(text)));
}

void Machine::push_float_line() {
  const auto text = line();
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw source_.fail("the pickle spells a float that is none");
  push(make_real(value));
}

void Machine::push_tuple(size_t count) {
  std::vector<Value> items(count);
  for (size_t i = count; i-- > 0;) items[i] = pop();
  push(heap_.make(Kind::tuple, std::move(items)));
}

void Machine::check_keys(const std::vector<Value>& pairs) const {
  if (pairs.size() % 2 != 0) throw source_.fail("a dictionary gets a key without a value");
  for (size_t i = 0; i < pairs.size(); i += 2)
    if (!is_hashable(heap_, pairs[i]))
      throw source_.fail("a dictionary gets a key of type {}", name(pairs[i].kind));
}

void Machine::check_members(const std::vector<Value>& items) const {
  for (const auto& item : items)
    if (!is_hashable(heap_, item))
      throw source_.fail("a set gets a member of type {}", name(item.kind));
}

Value Machine::make_dict(std::vector<Value> pairs) {
  check_keys(pairs);
  return heap_.make(Kind::dict, std::move(pairs));
}

void Machine::set_items(const std::vector<Value>& pairs) {
  const auto& target = top();
  if (target.kind != Kind::dict && target.kind != Kind::object)
    throw source_.fail("items are set on a value of type {}, no dictionary", name(target.kind));
  check_keys(pairs);
  for (const auto& value : pairs) heap_.append(target, value);
}

void Machine::append_items(const std::vector<Value>& items) {
  const auto& target = top();
  if (target.kind == Kind::object) return;  // a sequence of an unknown class stays opaque
  if (target.kind != Kind::list)
    throw source_.fail("items are appended to a value of type {}, no list", name(target.kind));
  for (const auto& value : items) heap_.append(target, value);
}

void Machine::add_items(const std::vector<Value>& items) {
  const auto& target = top();
  check_members(items);
  if (target.kind == Kind::object) return;
  if (target.kind != Kind::set)
    throw source_.fail("members are added to a value of type {}, no set", name(target.kind));
  for (const auto& value : items) heap_.append(target, value);
}

void Machine::remember(uint64_t slot) {
  const auto value = top();
  if (slot > memo_.size() + kMaxMemoGap)
    throw source_.fail("memo slot {} is far beyond the {} in use", slot, memo_.size());
  if (slot >= memo_.size()) {
    heap_.take((slot + 1 - memo_.size()) * 2 * sizeof(Value));
    memo_.resize(slot + 1);
    memo_used_.resize(slot + 1);
  }
  memo_[slot] = value;
  memo_used_[slot] = true;
}

void Machine::recall(uint64_t slot) {
  if (slot >= memo_.size() || !memo_used_[slot]) throw source_.fail("memo slot {} is empty", slot);
  push(memo_[slot]);
}

void Machine::push_global() {
  const auto module = line(), global = line();
  for (const auto text : {module, global})
    if (text.empty() || find_invalid_utf8(text) != text.npos)
      throw source_.fail("a global in the pickle has no proper name");
  push(builder_.global(module, global));
}

void Machine::push_stack_global() {
  const auto global = pop(), module = pop();
  if (global.kind != Kind::text || module.kind != Kind::text || global.index == 0 ||
      module.index == 0)
    throw source_.fail("a global in the pickle has no proper name");
  push(builder_.global(module.text(), global.text()));
}

void Machine::push_instance(bool with_keywords) {
  if (with_keywords)
    if (const auto keywords = pop(); keywords.kind != Kind::dict)
      throw source_.fail("keyword arguments of type {}", name(keywords.kind));
  const auto args = pop(), cls = pop();
  push(builder_.instantiate(cls, args));
}

}  // namespace saccade::checkpoint::pickle
