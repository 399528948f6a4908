#pragma once
// SHA-256 (FIPS 180-4), for `inspect --hash` and file identities.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace saccade {

using Digest = std::array<std::byte, 32>;
/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string hex(const Digest& digest);

class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  /// The object is spent.
  [[nodiscard]] Digest digest();
  [[nodiscard]] std::string hex() { return saccade::hex(digest()); }

 private:
  void block(const std::byte* data);

  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> buffer_{};
  size_t buffered_ = 0;
  uint64_t total_ = 0;
};

[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);

}  // namespace saccade
