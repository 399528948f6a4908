#include "saccade/checkpoint/pickle/torch_builder.h"

#include <algorithm>

#include "saccade/base/checked.h"
#include "saccade/checkpoint/common/shapes.h"

namespace saccade::checkpoint::pickle {

Value TorchBuilder::global(std::string_view module, std::string_view name) {
  return heap_.make(Global{module, name, find_known(module, name)});
}

Known TorchBuilder::known(const Value& callable) const {
  return heap_.globals[callable.index].known;
}

std::string TorchBuilder::global_name(const Value& global) const {
  const auto& [module, name, known] = heap_.globals[global.index];
  return fmt::format("{}.{}", module.substr(0, 200), name.substr(0, 200));
}

void TorchBuilder::expect(bool condition, std::string_view what) const {
  if (!condition) throw source_.fail("{}", what);
}

TorchBuilder::Args TorchBuilder::arguments(const Value& args) const {
  if (args.kind != Kind::tuple)
    throw source_.fail("a call has arguments of type {}, no tuple", name(args.kind));
  return heap_.items(args);
}

Value TorchBuilder::make_object(const Value& cls) {
  const auto object = heap_.make(Kind::object);
  heap_.nodes[object.index].type = cls.index;
  return object;
}

std::string_view TorchBuilder::text(const Value& value, std::string_view what) const {
  if (value.kind != Kind::text)
    throw source_.fail("{} is of type {}, no text", what, name(value.kind));
  return value.text();
}

int64_t TorchBuilder::integer(const Value& value, std::string_view what) const {
  if (value.kind == Kind::big) throw source_.fail("{} is {}, far too large", what, value.text());
  if (value.kind != Kind::integer)
    throw source_.fail("{} is of type {}, no integer", what, name(value.kind));
  return value.integer;
}

bool TorchBuilder::boolean(const Value& value, std::string_view what) const {
  if (value.kind != Kind::boolean)
    throw source_.fail("{} is of type {}, no bool", what, name(value.kind));
  return value.integer != 0;
}

Shape TorchBuilder::integers(const Value& value, std::string_view what) const {
  if (value.kind != Kind::tuple && value.kind != Kind::list && value.kind != Kind::size)
    throw source_.fail("{} is of type {}, no tuple", what, name(value.kind));
  Shape numbers;
  if (heap_.items(value).size() > kMaxRank)
    throw source_.fail("{} has {} dimensions, more than {}", what, heap_.items(value).size(),
                       kMaxRank);
  for (const auto& item : heap_.items(value)) numbers.push_back(integer(item, what));
  return numbers;
}

Value TorchBuilder::reduce(const Value& callable, const Value& args) {
  if (callable.kind != Kind::global)
    throw source_.fail("the pickle calls a value of type {}", name(callable.kind));
  const auto list = arguments(args);
  const auto function = known(callable);
  if (function == Known::unknown) return make_object(callable);
  if (function == Known::storage || function == Known::dtype)
    throw source_.fail("the pickle calls {}, which is no function", global_name(callable));
  if (function >= Known::np_array) return call_numpy(function, list);
  if (function >= Known::rebuild_v1) return call_torch(function, list);
  return call_python(function, list, callable);
}

Value TorchBuilder::instantiate(const Value& cls, const Value& args) {
  if (cls.kind != Kind::global)
    throw source_.fail("the pickle makes an instance of a value of type {}", name(cls.kind));
  const auto list = arguments(args);
  const auto type = known(cls);
  const bool dictionary = type == Known::ordered_dict || type == Known::default_dict ||
                          type == Known::counter || type == Known::dict;
  if (!dictionary) return make_object(cls);
  expect(list.empty(), "a dictionary is made with arguments");
  return make_dict({});
}

void TorchBuilder::build(const Value& object, const Value& state) {
  switch (object.kind) {
    case Kind::object: return;
    case Kind::dict:
      expect(heap_.nodes[object.index].subclass, "the pickle sets the state of a plain dict");
      return;
    case Kind::np_dtype: return build_type(heap_.types[object.index], arguments(state));
    case Kind::array: return build_array(heap_.arrays[object.index], arguments(state));
    default:
      throw source_.fail("the pickle sets the state of a value of type {}", name(object.kind));
  }
}

Value TorchBuilder::persistent(const Value& id) {
  expect(id.kind == Kind::tuple, "a persistent id is no tuple");
  const Args fields = heap_.items(id);
  expect(!fields.empty(), "a persistent id is empty");
  const auto tag = text(fields[0], "the first field of a persistent id");
  if (tag == "module" && layout_ == Layout::legacy) {
    expect(fields.size() == 4, "a persistent id of a module has four fields");
    expect(fields[1].kind == Kind::global, "a persistent id of a module names no class");
    return fields[1];
  }
  if (tag != "storage") throw source_.fail("persistent id \"{}\" is unknown", tag.substr(0, 100));
  const size_t count = layout_ == Layout::zip ? 5 : 6;
  if (fields.size() != count)
    throw source_.fail("a storage id has {} fields instead of {}", fields.size(), count);
  if (fields[1].kind != Kind::global || known(fields[1]) != Known::storage)
    throw source_.fail("a storage is of class {}, which is unknown",
                       fields[1].kind == Kind::global ? global_name(fields[1])
                                                      : std::string(name(fields[1].kind)));
  const auto type = storage_class(heap_.globals[fields[1].index].name);
  Storage storage;
  storage.dtype = type.dtype;
  storage.element = type.element;
  storage.untyped = type.untyped;
  storage.key = text(fields[2], "the key of a storage");
  static_cast<void>(text(fields[3], "the location of a storage"));
  const auto elements = integer(fields[4], "the size of a storage");
  const auto size = checked_mul(elements, static_cast<int64_t>(storage.element));
  if (elements < 0 || !size)
    throw source_.fail("storage \"{}\" has {} elements", storage.key.substr(0, 100), elements);
  storage.count = static_cast<uint64_t>(elements);
  if (layout_ == Layout::zip) storage.bytes = find_record_(storage.key, storage.size());
  storage.root = heap_.storages.size();
  if (const auto known_root = roots_.find(storage.key); known_root != roots_.end()) {
    const auto& root = heap_.storages[known_root->second];
    if (root.size() != storage.size())
      throw source_.fail("storage \"{}\" has {} bytes here and {} before", storage.key,
                         storage.size(), root.size());
    storage.root = known_root->second;
  }
  storage.identity = static_cast<uint32_t>(storage.root);
  const auto value = heap_.make(storage);
  if (storage.root == value.index) {
    heap_.take(64);
    roots_.emplace(storage.key, value.index);
  }
  const bool view = layout_ == Layout::legacy && fields[5].kind != Kind::none;
  return view ? view_storage(value, fields[5]) : value;
}

Value TorchBuilder::view_storage(const Value& root, const Value& view) {
  expect(view.kind == Kind::tuple && heap_.items(view).size() == 3,
         "the view of a storage is no tuple of three");
  const Args fields = heap_.items(view);
  const auto key = text(fields[0], "the key of a storage view");
  Storage storage = heap_.storages[root.index];
  const auto offset = integer(fields[1], "the offset of a storage view");
  const auto size = integer(fields[2], "the size of a storage view");
  const auto count = static_cast<int64_t>(storage.count);
  if (offset < 0 || size < 0 || offset > count || size > count - offset)
    throw source_.fail("a view of {} elements at {} leaves its storage of {}", size, offset, count);
  storage.count = static_cast<uint64_t>(size);
  storage.offset = static_cast<uint64_t>(offset) * storage.element;
  storage.identity = static_cast<uint32_t>(heap_.storages.size());
  heap_.take(64);
  storage.identity = views_.emplace(key, storage.identity).first->second;
  return heap_.make(storage);
}

Value TorchBuilder::call_torch(Known function, Args args) {
  switch (function) {
    case Known::rebuild_v1:
    case Known::rebuild_v2:
    case Known::rebuild_v3: return rebuild_tensor(function, args);
    case Known::rebuild_parameter: return rebuild_parameter(args, 3);
    case Known::rebuild_parameter_with_state: return rebuild_parameter(args, 4);
    case Known::rebuild_from_type: return rebuild_from_type(args);
    case Known::rebuild_sparse: return heap_.make(Special{"a sparse tensor"});
    case Known::rebuild_quantized: return heap_.make(Special{"a quantized tensor"});
    case Known::rebuild_meta: return heap_.make(Special{"a meta tensor, which has no data"});
    default: return heap_.make(Special{"a tensor of a device or subclass that cannot be read"});
  }
}

Value TorchBuilder::rebuild_tensor(Known function, Args args) {
  const size_t least = function == Known::rebuild_v1 ? 4 : function == Known::rebuild_v2 ? 6 : 7;
  const size_t most = function == Known::rebuild_v1 ? 4 : least + 1;
  if (args.size() < least || args.size() > most)
    throw source_.fail("a tensor is rebuilt from {} arguments", args.size());
  if (args[0].kind != Kind::storage)
    throw source_.fail("a tensor lies in a value of type {}, no storage", name(args[0].kind));
  const auto& storage = heap_.storages[args[0].index];
  Tensor tensor;
  tensor.storage = args[0].index;
  auto dtype = storage.dtype;
  if (function == Known::rebuild_v3) {
    const auto& type = args[6];
    if (type.kind != Kind::global || known(type) != Known::dtype)
      throw source_.fail("a tensor has a {} as its dtype", type.kind == Kind::global
                                                               ? global_name(type)
                                                               : std::string(name(type.kind)));
    dtype = torch_dtype(heap_.globals[type.index].name);
  }
  if (!dtype) return heap_.make(Special{"a tensor of a type that has no safetensors code"});
  tensor.dtype = *dtype;
  const auto offset = integer(args[1], "the offset of a tensor");
  tensor.shape = integers(args[2], "the size of a tensor");
  tensor.strides = integers(args[3], "the stride of a tensor");
  if (function != Known::rebuild_v1)
    tensor.requires_grad = boolean(args[4], "requires_grad of a tensor");
  if (args.size() > least) read_view_bits(args[least], tensor);
  check_inside(tensor, offset);
  tensor.offset = static_cast<uint64_t>(offset) * static_cast<uint64_t>(bytes(tensor.dtype));
  return heap_.make(std::move(tensor));
}

void TorchBuilder::check_inside(const Tensor& tensor, int64_t offset) const {
  const auto& storage = heap_.storages[tensor.storage];
  if (tensor.shape.size() != tensor.strides.size())
    throw source_.fail("a tensor has {} sizes and {} strides", tensor.shape.size(),
                       tensor.strides.size());
  const auto available =
      static_cast<int64_t>(storage.size() / static_cast<uint64_t>(bytes(tensor.dtype)));
  if (!byte_size(tensor.dtype, tensor.shape))
    throw source_.fail("a tensor of shape {} has no size in 64 bits", to_string(tensor.shape));
  std::optional<int64_t> last = offset;
  for (size_t i = 0; i < tensor.shape.size() && last; ++i) {
    expect(tensor.strides[i] >= 0, "a tensor has a negative stride");
    const auto steps = std::max<int64_t>(tensor.shape[i] - 1, 0);
    const auto reach = checked_mul(steps, tensor.strides[i]);
    last = reach ? checked_add(*last, *reach) : std::nullopt;
  }
  const bool empty = std::ranges::find(tensor.shape, 0) != tensor.shape.end();
  if (offset < 0 || offset > available || !last || (!empty && *last >= available))
    throw source_.fail("a tensor of shape {} at offset {} leaves its storage of {} elements",
                       to_string(tensor.shape), offset, available);
}

void TorchBuilder::read_view_bits(const Value& dictionary, Tensor& tensor) const {
  if (dictionary.kind == Kind::none) return;
  expect(dictionary.kind == Kind::dict, "the metadata of a tensor is no dictionary");
  const auto& items = heap_.items(dictionary);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto key = text(items[i], "a key in the metadata of a tensor");
    const bool on = boolean(items[i + 1], "a value in the metadata of a tensor");
    expect(key == "conj" || key == "neg", "the metadata of a tensor has an unknown key");
    (key == "conj" ? tensor.conjugate : tensor.negative) = on;
  }
  const auto dtype = tensor.dtype;
  const bool complex = dtype == DType::C64 || dtype == DType::C128;
  expect(!tensor.conjugate || complex, "a tensor that is not complex is conjugated");
  expect(!tensor.negative || complex || dtype == DType::F32 || dtype == DType::F64 ||
             dtype == DType::F16 || dtype == DType::BF16,
         "a tensor that is not floating is negated");
}

Value TorchBuilder::rebuild_parameter(Args args, size_t count) {
  expect(args.size() == count, "a parameter is rebuilt from a wrong number of arguments");
  if (args[0].kind == Kind::special) return args[0];
  if (args[0].kind != Kind::tensor)
    throw source_.fail("a parameter is made of a value of type {}", name(args[0].kind));
  Tensor tensor = heap_.tensors[args[0].index];
  tensor.parameter = true;
  tensor.requires_grad = boolean(args[1], "requires_grad of a parameter");
  return heap_.make(std::move(tensor));
}

Value TorchBuilder::rebuild_from_type(Args args) {
  expect(args.size() == 4, "a tensor with attributes is rebuilt from four arguments");
  const bool function = args[0].kind == Kind::global && known(args[0]) >= Known::rebuild_v1 &&
                        known(args[0]) <= Known::rebuild_other &&
                        known(args[0]) != Known::rebuild_from_type;
  expect(function, "a tensor with attributes is rebuilt by something that makes no tensors");
  return call_torch(known(args[0]), arguments(args[2]));
}

Value PlainBuilder::global(std::string_view module, std::string_view name) {
  throw source_.fail("the head of the file names {}.{}; only plain values belong there",
                     module.substr(0, 100), name.substr(0, 100));
}
Value PlainBuilder::reduce(const Value&, const Value&) {
  throw source_.fail("the head of the file holds a call");
}
Value PlainBuilder::instantiate(const Value&, const Value&) {
  throw source_.fail("the head of the file holds an instance of a class");
}
void PlainBuilder::build(const Value&, const Value&) {
  throw source_.fail("the head of the file sets the state of an object");
}
Value PlainBuilder::persistent(const Value&) {
  throw source_.fail("the head of the file refers to a storage");
}

}  // namespace saccade::checkpoint::pickle
