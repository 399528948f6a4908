#include "saccade/checkpoint/pickle/tree.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <unordered_set>

#include "saccade/base/utf8.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/common/shapes.h"

namespace saccade::checkpoint::pickle {
namespace {

constexpr size_t kMaxDepth = 512;        // containers inside one another
constexpr size_t kMaxPath = 4096;        // bytes
constexpr size_t kMaxValues = 50'000;    // simple values that are listed
constexpr uint64_t kVisitsPerByte = 16;  // shared containers are walked once per path

bool is_container(Kind kind) {
  return kind == Kind::dict || kind == Kind::list || kind == Kind::tuple;
}

using Pair = std::pair<std::string_view, Value>;

/// Leaves the last value of each key, in order of first appearance, as Python's dict keeps them.
void drop_repeated_keys(std::vector<Pair>& pairs) {
  std::vector<size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return pairs[i].first; });
  std::vector<bool> dropped(pairs.size());
  for (size_t i = 1, first = 0; i < order.size(); ++i) {
    if (pairs[order[i]].first != pairs[order[first]].first) {
      first = i;
    } else {
      pairs[order[first]].second = pairs[order[i]].second;
      dropped[order[i]] = true;
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < pairs.size(); ++i)
    if (!dropped[i]) pairs[kept++] = pairs[i];
  pairs.resize(kept);
}

/// None, bool, int, float and str as JSON can hold them; null for anything else.
std::optional<Json> simple_value(const Value& value) {
  constexpr int64_t kExact = int64_t{1} << 53;
  switch (value.kind) {
    case Kind::none: return Json(nullptr);
    case Kind::boolean: return Json(value.integer != 0);
    case Kind::integer:
      if (value.integer >= -kExact && value.integer <= kExact) return Json(value.integer);
      return Json{{"int", std::to_string(value.integer)}};
    case Kind::big: return Json{{"int", std::string(value.text())}};
    case Kind::real:
      if (std::isfinite(value.real)) return Json(value.real);
      return Json{{"float", std::isnan(value.real) ? "nan" : value.real < 0 ? "-inf" : "inf"}};
    case Kind::text:
      if (find_invalid_utf8(value.text()) != std::string_view::npos) return std::nullopt;
      return Json(std::string(value.text()));
    default: return std::nullopt;
  }
}

class Collector {
 public:
  Collector(const TreeInput& input, Contents& contents) : input_(input), contents_(contents) {}

  void run(const Value& root) {
    if (!is_container(root.kind) && root.kind != Kind::object) {
      if (root.kind != Kind::tensor && root.kind != Kind::array)
        throw input_.source.fail("the file holds a value of type {}, no tensors", name(root.kind));
      path_ = "tensor";
      leaf(root);
    } else {
      enter(root);
      while (!open_.empty()) step();
    }
    finish();
  }

 private:
  struct Frame {
    Value container;
    std::vector<Pair> pairs;  ///< of dictionaries
    size_t next = 0;
    size_t path_size = 0;  ///< of the container itself
  };

  /// Objects that got items are instances of subclasses of dict.
  [[nodiscard]] bool enterable(const Value& value) const {
    return is_container(value.kind) ||
           (value.kind == Kind::object && !input_.heap.items(value).empty());
  }

  void enter(const Value& container) {
    if (!enterable(container)) return opaque(container);
    if (!on_path_.insert(container.index).second) return;  // a container inside itself
    if (open_.size() >= kMaxDepth)
      throw input_.source.fail("containers are nested deeper than {}", kMaxDepth);
    Frame frame{container, {}, 0, path_.size()};
    const bool dictionary = container.kind == Kind::dict || container.kind == Kind::object;
    count_visits(input_.heap.items(container).size());
    if (dictionary) frame.pairs = dict_items(container);
    open_.push_back(std::move(frame));
  }

  std::vector<Pair> dict_items(const Value& dict) {
    const auto& items = input_.heap.items(dict);
    std::vector<Pair> pairs;
    pairs.reserve(items.size() / 2);
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const auto& key = items[i];
      const auto& value = items[i + 1];
      if (key.kind == Kind::text) {
        pairs.emplace_back(key.text(), value);
      } else if (auto repr = key_repr(input_.heap, key)) {
        input_.budget.take(repr->size() + 2 * sizeof(std::string), "the keys of the pickle");
        pairs.emplace_back(reprs_.emplace_back(std::move(*repr)), value);
      } else if (enterable(value) || value.kind == Kind::tensor) {
        throw input_.source.fail("a dictionary has a key of type {}, which has no place in a path",
                                 name(key.kind));
      }
    }
    drop_repeated_keys(pairs);
    return pairs;
  }

  void step() {
    auto& frame = open_.back();
    path_.resize(frame.path_size);
    const bool sequence = frame.container.kind == Kind::list || frame.container.kind == Kind::tuple;
    const size_t count = sequence ? input_.heap.items(frame.container).size() : frame.pairs.size();
    if (open_.size() == 1) close_root_child();
    if (frame.next == count) {
      on_path_.erase(frame.container.index);
      open_.pop_back();
      return;
    }
    const size_t i = frame.next++;
    const auto key = sequence ? std::to_string(i) : std::string(frame.pairs[i].first);
    const auto value = sequence ? input_.heap.items(frame.container)[i] : frame.pairs[i].second;
    if (open_.size() == 1 && !sequence && value.kind == Kind::dict) {
      contents_.root_children.push_back({key, contents_.entries.size(), 0});
      child_open_ = true;
    }
    if (!extend_path(key, value)) return;
    if (is_container(value.kind) || value.kind == Kind::object) {
      enter(value);
    } else {
      leaf(value);
    }
  }

  void close_root_child() {
    if (std::exchange(child_open_, false))
      contents_.root_children.back().end = contents_.entries.size();
  }

  void count_visits(uint64_t visits) {
    visits_ += visits;
    if (visits_ > kVisitsPerByte * input_.source.stream.size() + 1024)
      throw input_.source.fail("containers are shared so often that their contents have no end");
  }

  /// False if the path grows too long for a value that matters little.
  bool extend_path(std::string_view key, const Value& value) {
    const bool fits = path_.size() + key.size() < kMaxPath;
    if (!fits && (enterable(value) || value.kind == Kind::tensor || value.kind == Kind::array))
      throw input_.source.fail("the path of a tensor or container is longer than {} bytes",
                               kMaxPath);
    if (!fits) return false;
    if (open_.size() > 1) path_ += '.';
    path_ += key;
    return true;
  }

  void leaf(const Value& value) {
    switch (value.kind) {
      case Kind::tensor: return add_tensor(input_.heap.tensors[value.index]);
      case Kind::array: return add_array(input_.heap.arrays[value.index]);
      case Kind::special: return leave_out(input_.heap.specials[value.index].reason);
      case Kind::object: return opaque(value);
      default:
        if (auto simple = simple_value(value)) add_value(std::move(*simple));
    }
  }

  void opaque(const Value& object) {
    if (object.kind != Kind::object || !opaque_.empty()) return;
    const auto& type = input_.heap.nodes[object.index].type;
    if (type >= input_.heap.globals.size()) return;
    const auto& cls = input_.heap.globals[type];
    opaque_ = fmt::format("{}.{}", cls.module.substr(0, 100), cls.name.substr(0, 100));
  }

  void take_path() {
    if (find_invalid_utf8(path_) != path_.npos)
      throw input_.source.fail("the name of a tensor is no UTF-8");
    input_.budget.take(2 * path_.size() + 2 * sizeof(Entry) + 64, "the list of tensors");
  }

  void leave_out(std::string_view reason) {
    take_path();
    contents_.left_out.push_back({path_, std::string(reason)});
  }

  void add_value(Json value) {
    if (values_.size() == kMaxValues || find_invalid_utf8(path_) != path_.npos) return;
    const size_t text = value.is_string() ? value.get_ref<const std::string&>().size() : 0;
    input_.budget.take(2 * path_.size() + text + 192, "the list of values");
    values_.emplace_back(path_, std::move(value));
    if (values_.size() == kMaxValues)
      contents_.left_out.push_back(
          {path_, fmt::format("only the first {} simple values are listed", kMaxValues)});
  }

  void add_tensor(const Tensor& tensor) {
    const auto& storage = input_.heap.storages[tensor.storage];
    const auto& root = input_.heap.storages[storage.root];
    Entry entry;
    entry.path = path_;
    entry.storage = storage.identity;
    entry.parameter = tensor.parameter;
    entry.requires_grad = tensor.requires_grad;
    entry.owner = input_.owner;
    const auto begin = storage.offset + tensor.offset;
    entry.view = {tensor.dtype, tensor.shape, tensor.strides,
                  root.bytes.subspan(begin, storage.size() - tensor.offset)};
    take_path();
    const bool swap = input_.big_endian && bits(tensor.dtype) > 8;
    if (swap || tensor.conjugate || tensor.negative) resolve(entry, tensor, swap);
    contents_.entries.push_back(std::move(entry));
  }

  /// A copy with the bytes in our order and the signs that conj() and neg() views imply.
  void resolve(Entry& entry, const Tensor& tensor, bool swap) const {
    const auto size = byte_size(entry.view.dtype, entry.view.shape);
    input_.budget.take(2 * static_cast<uint64_t>(size.value_or(0)), "a tensor");
    const auto copy = contiguous(entry.view);
    auto buffer =
        std::make_shared<std::vector<std::byte>>(copy.bytes().begin(), copy.bytes().end());
    const auto dtype = entry.view.dtype;
    const bool complex = dtype == DType::C64 || dtype == DType::C128;
    const size_t part = static_cast<size_t>(bits(dtype)) / (complex ? 16 : 8);
    if (swap) swap_bytes(*buffer, part);
    for (size_t i = 0, at = part - 1; at < buffer->size(); ++i, at += part) {
      const bool imaginary = complex && i % 2 == 1;
      if (tensor.negative != (tensor.conjugate && imaginary)) (*buffer)[at] ^= std::byte{0x80};
    }
    entry.view = {dtype, entry.view.shape, contiguous_strides(entry.view.shape), *buffer};
    entry.owner = std::move(buffer);
  }

  void add_array(const Array& array) {
    if (!array.filled || !array.dtype) return;
    Entry entry;
    entry.path = path_;
    entry.numpy = true;
    entry.owner = input_.owner;
    entry.view = {*array.dtype, array.shape,
                  array.fortran ? fortran_strides(array.shape) : contiguous_strides(array.shape),
                  std::as_bytes(std::span(array.data))};
    take_path();
    if (array.big_endian && bits(*array.dtype) > 8) resolve(entry, Tensor{}, true);
    contents_.entries.push_back(std::move(entry));
  }

  void finish() {
    if (contents_.entries.empty() && contents_.left_out.empty() && !opaque_.empty())
      throw input_.source.fail(
          "no tensors outside instances of classes such as {}: if this is a whole pickled module, "
          "save its state_dict() instead",
          opaque_);
    std::vector<size_t> order(values_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto path_of = [&](size_t i) -> const std::string& { return values_[i].first; };
    std::ranges::stable_sort(order, {}, path_of);
    std::vector<bool> again(values_.size());
    for (size_t i = 1; i < order.size(); ++i)
      again[order[i]] = path_of(order[i]) == path_of(order[i - 1]);
    auto& object = contents_.metadata.get_ref<Json::object_t&>();
    for (size_t i = 0; i < values_.size(); ++i)
      if (!again[i])
        static_cast<Json::object_t::Container&>(object).emplace_back(std::move(values_[i].first),
                                                                     std::move(values_[i].second));
  }

  const TreeInput& input_;
  Contents& contents_;
  std::string path_;
  std::vector<Frame> open_;
  std::unordered_set<uint32_t> on_path_;  ///< nodes that are open
  std::deque<std::string> reprs_;         ///< of keys that are no texts
  std::vector<std::pair<std::string, Json>> values_;
  std::string opaque_;  ///< the first class whose instances were met
  uint64_t visits_ = 0;
  bool child_open_ = false;
};

}  // namespace

void collect(const Value& root, const TreeInput& input, Contents& contents) {
  Collector(input, contents).run(root);
}

}  // namespace saccade::checkpoint::pickle
