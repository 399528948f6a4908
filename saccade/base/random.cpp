#include "saccade/base/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace saccade {
namespace {
constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ull;
}

uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
}

uint64_t mix64(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

Random::Random(uint64_t seed, uint64_t epoch, uint64_t sample, std::string_view purpose)
    : key_(fnv1a(purpose)) {
  for (const uint64_t part : {seed, epoch, sample}) key_ = mix64(key_ + kGolden + part);
}

uint64_t Random::bits() { return mix64(key_ + ++counter_ * kGolden); }

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

uint64_t Random::below(uint64_t bound) {
  const uint64_t limit = -bound % bound;  // 2^64 mod bound
  for (;;)
    if (const uint64_t value = bits(); value >= limit) return value % bound;
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::gamma(double shape) {  // Marsaglia and Tsang 2000
  if (shape < 1.0) return gamma(shape + 1.0) * std::pow(1.0 - uniform(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal(), v = std::pow(1.0 + c * x, 3);
    if (v <= 0.0) continue;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Random::beta(double alpha, double beta) {
  const double x = gamma(alpha), y = gamma(beta);
  return x + y > 0.0 ? x / (x + y) : (uniform() < alpha / (alpha + beta) ? 1.0 : 0.0);
}

std::vector<int64_t> permutation(int64_t count, Random random) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace saccade
