#pragma once
// What the kernel tests share: every instruction set of the processor, exact memory, plain loops.

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime::kernels::test {

/// Calls check(name) with every instruction set that Highway and the processor share, with the
/// processor's dot products and without; says what was not there.
template <class Check>
void for_each_target(const Check& check) {
  const int64_t all = hwy::SupportedTargets();
  std::string names;
  for (int64_t rest = all; rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    for (const bool dots : {false, true}) {
      allow_dot_products(dots);
      const auto tiles = kernel_table().tiles;
      const std::string name =
          std::string(tiles.f32.name) + "/" + tiles.bf16.name + "/" + tiles.i8.name;
      if (names.find(name + " ") != std::string::npos) continue;
      names += name + " ";
      SCOPED_TRACE(name);
      check(name);
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  for (const char* wanted : {"AVX2", "AVX3", "AVX512-BF16", "AVX512-VNNI", "AVX-VNNI"})
    if (names.find(wanted) == std::string::npos)
      std::printf("not tested, this processor has none: %s\n", wanted);
  ::testing::Test::RecordProperty("targets", names);
}

/// Memory aligned to 64 bytes that ends where its last element ends, for sanitizers to watch.
template <class T>
class Exact {
 public:
  explicit Exact(int64_t count) : count_(count) {
    const size_t bytes = count * sizeof(T), room = (bytes + 63) / 64 * 64;
    base_ = static_cast<std::byte*>(std::aligned_alloc(64, room + 64));
    data_ = reinterpret_cast<T*>(base_);
    std::fill(base_, base_ + room + 64, std::byte{0xAB});
  }
  ~Exact() { std::free(base_); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::span<T> span() const { return {data_, static_cast<size_t>(count_)}; }
  [[nodiscard]] std::span<std::byte> bytes() const { return std::as_writable_bytes(span()); }
  /// Whether nothing was written behind the end.
  [[nodiscard]] bool intact() const {
    const auto* end = reinterpret_cast<const std::byte*>(data_ + count_);
    const size_t room = (count_ * sizeof(T) + 63) / 64 * 64 + 64;
    return std::all_of(end, static_cast<const std::byte*>(base_) + room,
                       [](std::byte b) { return b == std::byte{0xAB}; });
  }

 private:
  int64_t count_;
  std::byte* base_;
  T* data_;
};

inline std::vector<float> random_floats(int64_t count, uint32_t seed, float scale = 1.0F) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-scale, scale);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

inline constexpr Activation kActivations[] = {
    Activation::none, Activation::relu,    Activation::gelu, Activation::gelu_tanh,
    Activation::silu, Activation::sigmoid, Activation::tanh};

inline double activate(Activation which, double x) {
  switch (which) {
    case Activation::none: return x;
    case Activation::relu: return std::max(x, 0.0);
    case Activation::gelu: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::sigmoid: return 1 / (1 + std::exp(-x));
    case Activation::tanh: return std::tanh(x);
  }
  return x;
}

}  // namespace saccade::runtime::kernels::test
