#pragma once
// A folder of CIFAR-10's binary format with pictures that a tiny model can learn: a bright square
// whose quadrant is the class.

#include <filesystem>
#include <fstream>
#include <string>

#include "saccade/base/random.h"

namespace saccade::train {

class SyntheticCifar {
 public:
  explicit SyntheticCifar(int64_t per_batch) {
    std::string name = (std::filesystem::temp_directory_path() / "saccade_cifar_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    for (int i = 1; i <= 5; ++i)
      write("data_batch_" + std::to_string(i) + ".bin", per_batch, static_cast<uint64_t>(i));
    write("test_batch.bin", per_batch, 6);
    std::ofstream meta(folder_ / "batches.meta.txt");
    for (int i = 0; i < 10; ++i) meta << "class" << i << "\n";
  }
  ~SyntheticCifar() { std::filesystem::remove_all(folder_); }
  SyntheticCifar(const SyntheticCifar&) = delete;
  SyntheticCifar& operator=(const SyntheticCifar&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  void write(const std::string& file, int64_t count, uint64_t key) const {
    std::ofstream out(folder_ / file, std::ios::binary);
    for (int64_t i = 0; i < count; ++i) {
      Random random(key, 0, static_cast<uint64_t>(i), "picture");
      const auto label = random.below(4);
      out.put(static_cast<char>(label));
      for (uint64_t p = 0; p < 3 * 1024; ++p) {
        const uint64_t y = p % 1024 / 32, x = p % 32;
        const bool bright = (y / 16) * 2 + x / 16 == label;
        out.put(static_cast<char>(random.below(64) + (bright ? 160 : 0)));
      }
    }
  }

  std::filesystem::path folder_;
};

}  // namespace saccade::train
