#pragma once
// What a pickle holds, as inert data: no value can be called, and none owns another, so nothing
// here recurses. Containers refer to their items by index into the Heap that made them.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/tensor.h"
#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/pickle/globals.h"

namespace saccade::checkpoint::pickle {

enum class Kind : uint8_t {
  none,
  boolean,    ///< integer: 0 or 1
  integer,    ///< integer
  big,        ///< text: decimal digits of an integer beyond 64 bits
  real,       ///< real
  text,       ///< text: UTF-8, encoded surrogates allowed as in Python
  bytes,      ///< text: any bytes
  list,       ///< index of a Node
  tuple,      ///< index of a Node
  dict,       ///< index of a Node: key, value, key, value ...
  set,        ///< index of a Node
  frozenset,  ///< index of a Node
  size,       ///< index of a Node: torch.Size
  global,     ///< index of a Global
  object,     ///< index of a Node: an instance of a class that we do not know
  storage,    ///< index of a Storage
  tensor,     ///< index of a Tensor
  special,    ///< index of a Special: a tensor that cannot be listed
  np_dtype,   ///< index of a NumpyType
  array,      ///< index of an Array
};

[[nodiscard]] std::string_view name(Kind kind);

struct Value {
  Kind kind = Kind::none;
  uint32_t index = 0;  ///< into the Heap; for texts the length
  union {
    int64_t integer = 0;
    double real;
    const char* data;
  };

  [[nodiscard]] std::string_view text() const { return {data, index}; }
};
static_assert(sizeof(Value) == 16);

struct Node {
  std::vector<Value> items;
  uint32_t type = UINT32_MAX;  ///< objects: index of their class in Heap::globals, if it is known
  bool subclass = false;       ///< dicts: has instance state (OrderedDict and the like)
};

struct Global {
  std::string_view module, name;
  Known known = Known::unknown;
};

/// A torch storage that a persistent id names. Views of old files refer to their root's bytes.
struct Storage {
  std::string_view key;
  std::optional<DType> dtype;  ///< empty for quantised ones
  bool untyped = false;
  uint64_t element = 1;              ///< bytes of one element
  uint64_t count = 0;                ///< elements
  uint64_t root = 0;                 ///< index of the root storage, itself if it is none's view
  uint64_t offset = 0;               ///< bytes from the start of the root
  uint32_t identity = 0;             ///< equal for storages (or views of one) with one key
  std::span<const std::byte> bytes;  ///< of a root: filled in when the record is known

  [[nodiscard]] uint64_t size() const { return element * count; }
};

struct Tensor {
  uint32_t storage = 0;
  DType dtype = DType::F32;
  uint64_t offset = 0;  ///< bytes from the start of the storage
  Shape shape, strides;
  bool conjugate = false, negative = false, parameter = false, requires_grad = false;
};

struct Special {
  std::string_view reason;
};

struct NumpyType {
  std::string_view code;  ///< "f4" as numpy spells it
  char order = '|';       ///< '<', '>', '|' (none), '=' (not set)
};

/// A numpy array; `filled` once its state was given.
struct Array {
  bool filled = false;
  std::optional<DType> dtype;  ///< empty: no tensor type (strings, objects)
  bool big_endian = false, fortran = false;
  Shape shape;
  std::string_view data;
};

/// Owns everything that values refer to by index, within the budget.
class Heap {
 public:
  explicit Heap(Budget& budget) : budget_(budget) {}

  std::vector<Node> nodes;
  std::vector<Global> globals;
  std::vector<Storage> storages;
  std::vector<Tensor> tensors;
  std::vector<Special> specials;
  std::vector<NumpyType> types;
  std::vector<Array> arrays;

  [[nodiscard]] Value make(Kind kind, std::vector<Value> items = {});
  [[nodiscard]] Value make(Global global) { return put(Kind::global, globals, global); }
  [[nodiscard]] Value make(Storage storage) { return put(Kind::storage, storages, storage); }
  [[nodiscard]] Value make(Special special) { return put(Kind::special, specials, special); }
  [[nodiscard]] Value make(NumpyType type) { return put(Kind::np_dtype, types, type); }
  [[nodiscard]] Value make(Array array) { return put(Kind::array, arrays, std::move(array)); }
  [[nodiscard]] Value make(Tensor tensor);
  /// A text or bytes that the stream does not hold literally.
  [[nodiscard]] Value make(Kind kind, std::string text);

  void append(const Value& container, const Value& item);
  void take(uint64_t bytes) { budget_.take(bytes, "the pickle"); }

  [[nodiscard]] std::vector<Value>& items(const Value& value) { return nodes[value.index].items; }
  [[nodiscard]] const std::vector<Value>& items(const Value& value) const {
    return nodes[value.index].items;
  }
  /// What keeps the texts of `make` alive.
  [[nodiscard]] std::shared_ptr<const void> keeper() const { return strings_; }

 private:
  template <class T>
  Value put(Kind kind, std::vector<T>& pool, T item) {
    take(2 * sizeof(T));
    pool.push_back(std::move(item));
    Value value;
    value.kind = kind;
    value.index = static_cast<uint32_t>(pool.size() - 1);
    return value;
  }

  Budget& budget_;
  std::shared_ptr<std::deque<std::string>> strings_ = std::make_shared<std::deque<std::string>>();
};

[[nodiscard]] Value make_integer(int64_t value);
[[nodiscard]] Value make_boolean(bool value);
[[nodiscard]] Value make_real(double value);
/// Texts of at most 4 GiB that the stream holds.
[[nodiscard]] Value make_text(Kind kind, std::string_view text);

/// Python's repr of a value that may be a dictionary key; nothing for unhashable ones.
[[nodiscard]] std::optional<std::string> key_repr(const Heap& heap, const Value& key);
/// True if Python would take the value as a dictionary key or set member.
[[nodiscard]] bool is_hashable(const Heap& heap, const Value& value);

}  // namespace saccade::checkpoint::pickle
