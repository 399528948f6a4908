#pragma once
// What the globals and calls of a checkpoint's pickle mean: containers of Python's library,
// storages and tensors of torch, arrays of numpy. Layouts: docs/formats/checkpoints.md. Whatever is
// unknown becomes an opaque object; only a tensor that needs it makes the file unreadable.

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "saccade/checkpoint/pickle/machine.h"
#include "saccade/checkpoint/pickle/source.h"
#include "saccade/checkpoint/pickle/values.h"

namespace saccade::checkpoint::pickle {

/// Where storages come from.
enum class Layout { zip, legacy };

class TorchBuilder : public Builder {
 public:
  /// The bytes of a storage of the zip layout; throws Error if there is no record of that key.
  using FindRecord =
      std::function<std::span<const std::byte>(std::string_view key, uint64_t expected_size)>;

  TorchBuilder(Source& source, Heap& heap, Layout layout, FindRecord find_record = {})
      : source_(source), heap_(heap), layout_(layout), find_record_(std::move(find_record)) {}

  Value global(std::string_view module, std::string_view name) override;
  Value reduce(const Value& callable, const Value& args) override;
  Value instantiate(const Value& cls, const Value& args) override;
  void build(const Value& object, const Value& state) override;
  Value persistent(const Value& id) override;

  /// The root storages by key (legacy files give them their bytes afterwards).
  [[nodiscard]] const std::map<std::string_view, uint32_t, std::less<>>& roots() const {
    return roots_;
  }

 private:
  using Args = std::span<const Value>;

  [[nodiscard]] Args arguments(const Value& args) const;
  [[nodiscard]] Value make_object(const Value& cls);
  [[nodiscard]] Known known(const Value& callable) const;
  [[nodiscard]] std::string global_name(const Value& global) const;
  [[nodiscard]] std::string_view text(const Value& value, std::string_view what) const;
  [[nodiscard]] int64_t integer(const Value& value, std::string_view what) const;
  [[nodiscard]] bool boolean(const Value& value, std::string_view what) const;
  [[nodiscard]] Shape integers(const Value& value, std::string_view what) const;
  void expect(bool condition, std::string_view what) const;

  // Python's library (python_calls.cpp)
  [[nodiscard]] Value call_python(Known function, Args args, const Value& callable);
  [[nodiscard]] Value make_dict(Args args);
  [[nodiscard]] Value make_sequence(Kind kind, Args args);
  [[nodiscard]] Value make_bytes(Args args, bool array, const Value& callable);
  [[nodiscard]] Value encode(Args args);
  [[nodiscard]] Value make_size(Args args);
  void check_device(Args args) const;

  // torch (torch_builder.cpp)
  [[nodiscard]] Value call_torch(Known function, Args args);
  [[nodiscard]] Value rebuild_tensor(Known function, Args args);
  [[nodiscard]] Value rebuild_parameter(Args args, size_t count);
  [[nodiscard]] Value rebuild_from_type(Args args);
  void check_inside(const Tensor& tensor, int64_t offset) const;
  void read_view_bits(const Value& dictionary, Tensor& tensor) const;
  [[nodiscard]] Value view_storage(const Value& root, const Value& view);

  // numpy (numpy_calls.cpp)
  [[nodiscard]] Value call_numpy(Known function, Args args);
  void build_type(NumpyType& type, Args state) const;
  void build_array(Array& array, Args state) const;
  [[nodiscard]] Value from_buffer(Args args);
  void set_type(Array& array, const Value& type) const;
  void set_data(Array& array, const Value& data) const;

  Source& source_;
  Heap& heap_;
  Layout layout_;
  FindRecord find_record_;
  std::map<std::string_view, uint32_t, std::less<>> roots_;
  std::map<std::string_view, uint32_t, std::less<>> views_;  ///< first storage of each view key
};

/// For the small pickles around the checkpoint of a legacy file: plain data, nothing by name.
class PlainBuilder : public Builder {
 public:
  explicit PlainBuilder(const Source& source) : source_(source) {}
  Value global(std::string_view module, std::string_view name) override;
  Value reduce(const Value& callable, const Value& args) override;
  Value instantiate(const Value& cls, const Value& args) override;
  void build(const Value& object, const Value& state) override;
  Value persistent(const Value& id) override;

 private:
  const Source& source_;
};

}  // namespace saccade::checkpoint::pickle
