// numpy arrays, scalars and types inside a pickle (numpy/_core/src/multiarray/methods.c,
// __reduce__).

#include "saccade/checkpoint/common/numpy_type.h"
#include "saccade/checkpoint/common/shapes.h"
#include "saccade/checkpoint/pickle/torch_builder.h"

namespace saccade::checkpoint::pickle {

Value TorchBuilder::call_numpy(Known function, Args args) {
  switch (function) {
    case Known::np_dtype: {
      expect(args.size() == 3, "a numpy type is made of a wrong number of arguments");
      NumpyType type;
      // Old files name types of a library (bfloat16 of ml_dtypes) by their class.
      if (args[0].kind == Kind::text) type.code = args[0].text();
      return heap_.make(type);
    }
    case Known::np_reconstruct: {
      const bool fits = args.size() == 3 && args[0].kind == Kind::global;
      expect(fits, "a numpy array is reconstructed from wrong arguments");
      return heap_.make(Array{});
    }
    case Known::np_scalar: {
      const bool fits = args.size() == 2 && args[0].kind == Kind::np_dtype;
      expect(fits, "a numpy scalar is made of wrong arguments");
      return heap_.make(Kind::object);
    }
    case Known::np_from_buffer: return from_buffer(args);
    default: throw source_.fail("a numpy array is made in a way that pickles do not use");
  }
}

void TorchBuilder::build_type(NumpyType& type, Args state) const {
  expect(state.size() >= 8 && state.size() <= 9, "the state of a numpy type has a wrong size");
  static_cast<void>(integer(state[0], "the version of a numpy type"));
  const auto order = text(state[1], "the byte order of a numpy type");
  expect(order == "<" || order == ">" || order == "|" || order == "=",
         "the byte order of a numpy type is unknown");
  const bool plain = state[2].kind == Kind::none && state[4].kind == Kind::none;
  type.order = order[0];
  if (!plain) type.code = {};  // structured or sub-array
}

void TorchBuilder::set_type(Array& array, const Value& type) const {
  expect(type.kind == Kind::np_dtype, "the type of a numpy array is no numpy type");
  const auto& numpy = heap_.types[type.index];
  array.dtype = numpy_dtype(numpy.code);
  array.big_endian = numpy.order == '>';
}

void TorchBuilder::set_data(Array& array, const Value& data) const {
  if (!array.dtype) return;  // texts, objects: no tensor, never looked at
  expect(data.kind == Kind::bytes || data.kind == Kind::text,
         "the data of a numpy array are no bytes");
  array.data = data.text();
  const auto size = byte_size(*array.dtype, array.shape);
  if (!size || static_cast<uint64_t>(*size) != array.data.size())
    throw source_.fail("a numpy array of shape {} has {} bytes of data", to_string(array.shape),
                       array.data.size());
}

void TorchBuilder::build_array(Array& array, Args state) const {
  expect(state.size() == 5, "the state of a numpy array has a wrong size");
  array.shape = integers(state[1], "the shape of a numpy array");
  set_type(array, state[2]);
  array.fortran = boolean(state[3], "the order of a numpy array");
  set_data(array, state[4]);
  array.filled = true;
}

Value TorchBuilder::from_buffer(Args args) {
  expect(args.size() == 4, "a numpy array is made of a wrong number of arguments");
  Array array;
  array.shape = integers(args[2], "the shape of a numpy array");
  set_type(array, args[1]);
  const auto order = text(args[3], "the order of a numpy array");
  expect(order == "C" || order == "F", "the order of a numpy array is unknown");
  array.fortran = order == "F";
  set_data(array, args[0]);
  array.filled = true;
  return heap_.make(std::move(array));
}

}  // namespace saccade::checkpoint::pickle
