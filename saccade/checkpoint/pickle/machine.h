#pragma once
// The pickle machine, protocols 0 to 5, for data alone. Source: CPython's pickletools.py. It knows
// opcodes, stack and memo; what a global, a call or a persistent id means is the Builder's concern.

#include <cstdint>
#include <string_view>
#include <vector>

#include "saccade/checkpoint/pickle/source.h"
#include "saccade/checkpoint/pickle/values.h"

namespace saccade::checkpoint::pickle {

/// Gives meaning to the opcodes that name things outside the stream. Nothing is ever executed: an
/// answer is a value. Throws Error (bad_input) for what makes no sense.
class Builder {
 public:
  virtual ~Builder() = default;
  virtual Value global(std::string_view module, std::string_view name) = 0;
  /// `callable(*args)`
  virtual Value reduce(const Value& callable, const Value& args) = 0;
  /// `cls.__new__(cls, *args)`
  virtual Value instantiate(const Value& cls, const Value& args) = 0;
  /// `object.__setstate__(state)`
  virtual void build(const Value& object, const Value& state) = 0;
  virtual Value persistent(const Value& id) = 0;
};

class Machine {
 public:
  Machine(Source& source, Heap& heap, Builder& builder)
      : source_(source), heap_(heap), builder_(builder) {}

  /// Runs one pickle from `source.position`; afterwards that is the byte behind its STOP.
  [[nodiscard]] Value run();

 private:
  void step(uint8_t opcode);
  bool step_number(uint8_t opcode);
  bool step_text(uint8_t opcode);
  bool step_container(uint8_t opcode);
  bool step_memo(uint8_t opcode);
  bool step_object(uint8_t opcode);

  // What follows an opcode.
  [[nodiscard]] std::string_view bytes(uint64_t count);
  template <class T>
  [[nodiscard]] T number();
  [[nodiscard]] std::string_view line();
  [[nodiscard]] uint64_t line_number(std::string_view what);

  [[nodiscard]] size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void push(const Value& value);
  [[nodiscard]] Value pop();
  [[nodiscard]] Value& top();
  [[nodiscard]] std::vector<Value> pop_mark();

  void push_text(Kind kind, std::string_view text);
  /// Python 2's str: text wherever it is UTF-8, as torch.load reads it.
  void push_python2(std::string_view text);
  void push_long(std::string_view little_endian);
  void push_int_line();
  void push_long_line();
  void push_float_line();
  void push_tuple(size_t count);
  void set_items(const std::vector<Value>& pairs);
  void append_items(const std::vector<Value>& items);
  void add_items(const std::vector<Value>& items);
  void check_members(const std::vector<Value>& items) const;
  void check_keys(const std::vector<Value>& pairs) const;
  [[nodiscard]] Value make_dict(std::vector<Value> pairs);
  void remember(uint64_t slot);
  void recall(uint64_t slot);
  void push_global();
  void push_stack_global();
  void push_instance(bool with_keywords);

  Source& source_;
  Heap& heap_;
  Builder& builder_;
  uint64_t at_ = 0;  ///< of the next byte of the stream
  std::vector<Value> stack_;
  std::vector<size_t> marks_;  ///< stack sizes
  std::vector<Value> memo_;
  std::vector<bool> memo_used_;
  size_t high_water_ = 0;
};

}  // namespace saccade::checkpoint::pickle
