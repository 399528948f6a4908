// What the writers write: read back by our readers here. The reference libraries were asked by
// hand.

#include "saccade/checkpoint/writer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/checkpoint.h"
#include "tests/support/run.h"

namespace saccade::checkpoint {
namespace {

/// Bytes 1, 2, 3 ... in the given type.
HostTensor counting(DType dtype, const Shape& shape) {
  HostTensor tensor(dtype, shape);
  auto* bytes = const_cast<std::byte*>(tensor.bytes().data());
  for (size_t i = 0; i < tensor.bytes().size(); ++i)
    bytes[i] = static_cast<std::byte>(dtype == DType::BOOL ? i % 2 : i + 1);
  return tensor;
}

constexpr DType kBothFormats[] = {
    DType::BOOL,    DType::U8,          DType::I8,          DType::F8_E5M2, DType::F8_E4M3,
    DType::F8_E8M0, DType::F8_E4M3FNUZ, DType::F8_E5M2FNUZ, DType::I16,     DType::U16,
    DType::F16,     DType::BF16,        DType::I32,         DType::U32,     DType::F32,
    DType::C64,     DType::F64,         DType::I64,         DType::U64};

NamedTensors some_tensors() {
  NamedTensors tensors;
  for (const auto dtype : kBothFormats)
    tensors.emplace_back(fmt::format("block.{}", name(dtype)), counting(dtype, {3, 5}));
  tensors.emplace_back("scalar", counting(DType::F32, {}));
  tensors.emplace_back("empty", counting(DType::F32, {0, 7}));
  tensors.emplace_back("große \"Namen\" \\ 模型", counting(DType::I64, {2}));
  return tensors;
}

void expect_equal(const Checkpoint& checkpoint, const NamedTensors& expected) {
  const auto state = checkpoint.state_dict();
  ASSERT_EQ(state.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto* found = find(state, name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->dtype(), tensor.dtype()) << name;
    EXPECT_EQ(found->shape(), tensor.shape()) << name;
    EXPECT_TRUE(std::ranges::equal(found->bytes(), tensor.bytes())) << name;
  }
}

class Writer : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file(const char* name) const { return folder_.path() / name; }
  test::TemporaryFolder folder_;
};

TEST_F(Writer, SafetensorsRoundTripOfEveryDtype) {
  const auto tensors = some_tensors();
  write_safetensors(file("m.safetensors"), tensors, {{"saccade.labels", "[\"cat\", \"Käse\"]"}});
  const auto checkpoint = Checkpoint::open(file("m.safetensors"));
  EXPECT_EQ(checkpoint.format(), "safetensors");
  EXPECT_EQ(checkpoint.metadata().at("saccade.labels"), "[\"cat\", \"Käse\"]");
  expect_equal(checkpoint, tensors);
  for (const auto& entry : checkpoint.entries()) {
    const auto address = reinterpret_cast<uintptr_t>(entry.view.bytes.data());
    EXPECT_EQ(address % static_cast<uintptr_t>(bytes(entry.view.dtype)), 0u) << entry.path;
  }
}

TEST_F(Writer, PthRoundTripOfEveryDtype) {
  auto tensors = some_tensors();
  tensors.emplace_back("complex", counting(DType::C128, {2, 2}));
  write_pth(file("m.pth"), tensors);
  const auto bare = Checkpoint::open(file("m.pth"));
  EXPECT_EQ(bare.format(), "pth-zip");
  EXPECT_EQ(bare.wrapper(), "");
  expect_equal(bare, tensors);
  write_pth(file("m.pth"), tensors, "model");
  const auto wrapped = Checkpoint::open(file("m.pth"));
  EXPECT_EQ(wrapped.wrapper(), "model");
  EXPECT_EQ(wrapped.entries().front().path, "model." + tensors.front().first);
  expect_equal(wrapped, tensors);
}

/// A tensor for every type that numpy has, or that JAX saves as one.
NamedTensors tensors_of_numpy() {
  auto tensors = some_tensors();
  std::erase_if(tensors, [](const auto& item) {
    return name(item.second.dtype()).starts_with("F8") || item.first.find('\\') != item.first.npos;
  });
  tensors.emplace_back("MixerBlock_0/große Namen/模型", counting(DType::C128, {2, 1, 3}));
  return tensors;
}

TEST_F(Writer, NpzRoundTripOfEveryDtype) {
  const auto tensors = tensors_of_numpy();
  ASSERT_EQ(tensors.size(), 17u);
  write_npz(file("m.npz"), tensors);
  const auto checkpoint = Checkpoint::open(file("m.npz"));
  EXPECT_EQ(checkpoint.format(), "npz");
  expect_equal(checkpoint, tensors);
  for (const auto& entry : checkpoint.entries())
    if (!entry.view.bytes.empty()) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(entry.view.bytes.data()) % 64, 0u) << entry.path;
    }
}

TEST_F(Writer, NpzHeadersAreWhatNumpyWrites) {
  const auto text_of = [&](const HostTensor& tensor) {
    write_npz(file("m.npz"), {{"a", tensor}});
    const auto bytes = read_text(file("m.npz"));
    const auto begin = bytes.find("\x93NUMPY");
    return bytes.substr(begin, bytes.find('\n', begin) + 1 - begin);
  };
  const auto expect = [&](const HostTensor& tensor, const std::string& dictionary) {
    std::string text("\x93NUMPY\x01\0v\0", 10);
    text += dictionary;
    text.resize(127, ' ');
    EXPECT_EQ(text_of(tensor), text + "\n") << dictionary;
  };
  expect(counting(DType::F32, {2, 3}),
         "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
  expect(counting(DType::I64, {5}), "{'descr': '<i8', 'fortran_order': False, 'shape': (5,), }");
  expect(counting(DType::BF16, {}), "{'descr': '|V2', 'fortran_order': False, 'shape': (), }");
  expect(counting(DType::BOOL, {0, 1}),
         "{'descr': '|b1', 'fortran_order': False, 'shape': (0, 1), }");
}

TEST_F(Writer, PthStorageStartsAtMultiplesOf64) {
  write_pth(file("m.pth"), some_tensors());
  const auto checkpoint = Checkpoint::open(file("m.pth"));
  for (const auto& entry : checkpoint.entries())
    if (!entry.view.bytes.empty()) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(entry.view.bytes.data()) % 64, 0u) << entry.path;
    }
}

TEST_F(Writer, TensorsOverTheSameBytesShareOneStorage) {
  const auto tied = counting(DType::F32, {64, 64});
  write_pth(file("m.pth"), {{"a", tied}, {"b", tied}, {"c", counting(DType::F32, {64, 64})}});
  const auto checkpoint = Checkpoint::open(file("m.pth"));
  const auto& entries = checkpoint.entries();
  EXPECT_EQ(entries[0].storage, entries[1].storage);
  EXPECT_NE(entries[0].storage, entries[2].storage);
  EXPECT_LT(std::filesystem::file_size(file("m.pth")), 3u * 64 * 64 * 4);
}

TEST_F(Writer, ManyTensorsAndEmptyStateDicts) {
  NamedTensors many;
  for (int i = 0; i < 3000; ++i)
    many.emplace_back(fmt::format("t{}", i), counting(DType::F32, {1}));
  write_pth(file("many.pth"), many);
  write_safetensors(file("many.safetensors"), many);
  write_npz(file("many.npz"), many);
  expect_equal(Checkpoint::open(file("many.pth")), many);
  expect_equal(Checkpoint::open(file("many.npz")), many);
  expect_equal(Checkpoint::open(file("many.safetensors")), many);
  write_pth(file("none.pth"), {});
  write_safetensors(file("none.safetensors"), {});
  write_npz(file("none.npz"), {});
  EXPECT_TRUE(Checkpoint::open(file("none.pth")).entries().empty());
  EXPECT_TRUE(Checkpoint::open(file("none.safetensors")).entries().empty());
  EXPECT_TRUE(Checkpoint::open(file("none.npz")).entries().empty());
}

TEST_F(Writer, EqualInputGivesEqualFiles) {
  write_pth(file("m.pth"), some_tensors());
  const auto first = read_text(file("m.pth"));
  write_pth(file("m.pth"), some_tensors());
  EXPECT_EQ(first, read_text(file("m.pth")));
}

ErrorKind kind_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::failed_check;
}

TEST_F(Writer, RefusesWhatTheFormatsCannotHold) {
  const auto one = counting(DType::F32, {1});
  const NamedTensors twice{{"a", one}, {"a", one}}, broken{{"\xff", one}};
  const NamedTensors wide{{"a", counting(DType::C128, {1})}}, reserved{{"__metadata__", one}};
  const NamedTensors narrow{{"a", counting(DType::F4, {2})}};
  const auto safetensors = [&](const NamedTensors& t) {
    return kind_of([&] { write_safetensors(file("x.safetensors"), t); });
  };
  const auto pth = [&](const NamedTensors& t) {
    return kind_of([&] { write_pth(file("x.pth"), t); });
  };
  EXPECT_EQ(safetensors(twice), ErrorKind::usage);
  EXPECT_EQ(pth(twice), ErrorKind::usage);
  EXPECT_EQ(safetensors(broken), ErrorKind::usage);
  EXPECT_EQ(pth(broken), ErrorKind::usage);
  EXPECT_EQ(safetensors(reserved), ErrorKind::usage);
  EXPECT_EQ(safetensors(wide), ErrorKind::not_supported);
  EXPECT_EQ(pth(narrow), ErrorKind::not_supported);
  const auto npz = [&](const NamedTensors& t) {
    return kind_of([&] { write_npz(file("x.npz"), t); });
  };
  EXPECT_EQ(npz(twice), ErrorKind::usage);
  EXPECT_EQ(npz(broken), ErrorKind::usage);
  EXPECT_EQ(npz(narrow), ErrorKind::not_supported);
  for (const char* name : {"", "/a", "a/", "a//b", "a/../b", "./a", "c:a", "a\\b"})
    EXPECT_EQ(npz({{name, one}}), ErrorKind::not_supported) << name;
  EXPECT_EQ(npz({{std::string(70'000, 'a'), one}}), ErrorKind::not_supported);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Writer, AFolderThatIsNotThereIsNamed) {
  try {
    write_safetensors(file("missing/x.safetensors"), some_tensors());
    FAIL() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resources);
    EXPECT_NE(std::string(error.what()).find("missing/x.safetensors"), std::string::npos);
  }
}

}  // namespace
}  // namespace saccade::checkpoint
