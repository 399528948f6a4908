// Calls of Python's library that stand in pickles of plain data.

#include <algorithm>
#include <array>

#include "saccade/base/utf8.h"
#include "saccade/checkpoint/pickle/torch_builder.h"

namespace saccade::checkpoint::pickle {
namespace {

/// Torch's device types (c10/core/DeviceType.h).
constexpr auto kDevices = std::to_array<std::string_view>(
    {"cpu",    "cuda", "ipu",  "xpu",  "mkldnn", "opengl",        "opencl",
     "ideep",  "hip",  "ve",   "fpga", "maia",   "xla",           "lazy",
     "vulkan", "mps",  "meta", "hpu",  "mtia",   "privateuseone", "ort"});

/// Latin-1 characters to the bytes of their code points; false if one is beyond U+00FF.
bool to_latin1(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      out += text[i];
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      out += static_cast<char>((lead & 3) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3f));
    } else {
      return false;
    }
  }
  return true;
}

bool is_sequence(const Value& value) {
  return value.kind == Kind::list || value.kind == Kind::tuple || value.kind == Kind::set ||
         value.kind == Kind::frozenset || value.kind == Kind::size;
}

}  // namespace

Value TorchBuilder::call_python(Known function, Args args, const Value& callable) {
  switch (function) {
    case Known::ordered_dict:
    case Known::counter:
    case Known::dict: return make_dict(args);
    case Known::default_dict: return make_dict(args.empty() ? args : args.subspan(1));
    case Known::list: return make_sequence(Kind::list, args);
    case Known::tuple: return make_sequence(Kind::tuple, args);
    case Known::set: {
      const bool frozen = heap_.globals[callable.index].name == "frozenset";
      return make_sequence(frozen ? Kind::frozenset : Kind::set, args);
    }
    case Known::bytes: return make_bytes(args, false, callable);
    case Known::bytearray: return make_bytes(args, true, callable);
    case Known::encode: return encode(args);
    case Known::size: return make_size(args);
    case Known::device: check_device(args); return make_object(callable);
    case Known::get_layout:
      expect(args.size() == 1, "a layout has one argument");
      static_cast<void>(text(args[0], "the name of a layout"));
      return make_object(callable);
    default: return make_object(callable);
  }
}

Value TorchBuilder::make_dict(Args args) {
  expect(args.size() <= 1, "a dictionary is made of more than one argument");
  std::vector<Value> items;
  if (!args.empty() && args[0].kind == Kind::dict) {
    items = heap_.items(args[0]);
  } else if (!args.empty()) {
    expect(is_sequence(args[0]), "a dictionary is made of no pairs");
    for (const auto& pair : heap_.items(args[0])) {
      expect((pair.kind == Kind::list || pair.kind == Kind::tuple) &&
                 heap_.items(pair).size() == 2 && is_hashable(heap_, heap_.items(pair)[0]),
             "a dictionary is made of something that is no pair");
      items.insert(items.end(), heap_.items(pair).begin(), heap_.items(pair).end());
    }
  }
  const auto value = heap_.make(Kind::dict, std::move(items));
  heap_.nodes[value.index].subclass = true;
  return value;
}

Value TorchBuilder::make_sequence(Kind kind, Args args) {
  expect(args.size() <= 1 && (args.empty() || is_sequence(args[0])),
         "a container is made of something that is no sequence");
  std::vector<Value> items;
  if (!args.empty()) items = heap_.items(args[0]);
  const bool set = kind == Kind::set || kind == Kind::frozenset;
  const auto fits = [&](const Value& item) { return is_hashable(heap_, item); };
  expect(!set || std::ranges::all_of(items, fits), "a set gets a member that is not hashable");
  return heap_.make(kind, std::move(items));
}

Value TorchBuilder::make_bytes(Args args, bool array, const Value& callable) {
  if (args.empty()) return make_text(Kind::bytes, {});
  if (args[0].kind == Kind::bytes && args.size() == 1) return args[0];
  if (args[0].kind == Kind::text && args.size() == 2) return encode(args);
  expect(!array || args[0].kind == Kind::list, "a bytearray is made of something that is no bytes");
  return make_object(callable);
}

Value TorchBuilder::encode(Args args) {
  expect(args.size() == 2, "a text is encoded with a wrong number of arguments");
  const auto from = text(args[0], "a text to be encoded");
  const auto codec = text(args[1], "the codec of a text");
  expect(codec == "latin1" || codec == "latin-1", "a text is encoded by another codec than latin1");
  heap_.take(from.size());
  std::string out;
  out.reserve(from.size());
  expect(to_latin1(from, out), "a text to be encoded is not Latin-1");
  return heap_.make(Kind::bytes, std::move(out));
}

Value TorchBuilder::make_size(Args args) {
  expect(args.size() == 1 && (args[0].kind == Kind::tuple || args[0].kind == Kind::list),
         "torch.Size is made of something that is no tuple");
  for (const auto& item : heap_.items(args[0]))
    static_cast<void>(integer(item, "an element of torch.Size"));
  return heap_.make(Kind::size, std::vector<Value>(heap_.items(args[0])));
}

void TorchBuilder::check_device(Args args) const {
  expect(args.size() == 1 || args.size() == 2, "a device has one or two arguments");
  const auto device = text(args[0], "the type of a device");
  const auto type = device.substr(0, device.find(':'));
  expect(std::ranges::find(kDevices, type) != kDevices.end(), "a device has an unknown type");
  if (args.size() == 2) static_cast<void>(integer(args[1], "the index of a device"));
}

}  // namespace saccade::checkpoint::pickle
