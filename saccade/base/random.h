#pragma once
// Counter-based randomness: every number is a function of (seed, epoch, sample, purpose, index), so
// the number of threads and the order of work never matter, and resuming needs no state.

#include <cstdint>
#include <string_view>
#include <vector>

namespace saccade {

/// A stream of numbers for one purpose. Copyable; equal keys give equal streams.
class Random {
 public:
  Random(uint64_t seed, uint64_t epoch, uint64_t sample, std::string_view purpose);

  [[nodiscard]] uint64_t bits();
  /// In [0, 1), 53 random bits.
  [[nodiscard]] double uniform();
  [[nodiscard]] double uniform(double low, double high);
  /// In [0, bound), without modulo bias; bound > 0.
  [[nodiscard]] uint64_t below(uint64_t bound);
  /// Standard normal (Box-Muller).
  [[nodiscard]] double normal();
  /// Beta(alpha, beta), both > 0.
  [[nodiscard]] double beta(double alpha, double beta);

 private:
  [[nodiscard]] double gamma(double shape);

  uint64_t key_;
  uint64_t counter_ = 0;
};

/// A random order of 0 .. count-1 (Fisher-Yates).
[[nodiscard]] std::vector<int64_t> permutation(int64_t count, Random random);

/// FNV-1a, 64 bits.
[[nodiscard]] uint64_t fnv1a(std::string_view text);
/// The finaliser of splitmix64.
[[nodiscard]] uint64_t mix64(uint64_t z);

}  // namespace saccade
