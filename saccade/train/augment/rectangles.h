#pragma once
// Random rectangles: what random erasing overwrites and what a random resized crop keeps. Sources:
// timm 1.0.31 data/random_erasing.py, data/transforms.py.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "saccade/base/random.h"

namespace saccade::train {

/// Where rectangles take their numbers from, as Python's `random` gives them.
class Draws {
 public:
  virtual ~Draws() = default;
  /// In [0, 1).
  virtual double uniform() = 0;
  virtual double uniform(double low, double high) = 0;
  /// Both bounds included.
  virtual int64_t integer(int64_t low, int64_t high) = 0;
  virtual double normal() = 0;
};

class RandomDraws final : public Draws {
 public:
  explicit RandomDraws(Random& random) : random_(random) {}
  double uniform() override { return random_.uniform(); }
  double uniform(double low, double high) override { return random_.uniform(low, high); }
  int64_t integer(int64_t low, int64_t high) override {
    return low + static_cast<int64_t>(random_.below(static_cast<uint64_t>(high - low) + 1));
  }
  double normal() override { return random_.normal(); }

 private:
  Random& random_;
};

struct Rectangle {
  int64_t top = 0, left = 0, height = 0, width = 0;
  bool operator==(const Rectangle&) const = default;
};

enum class EraseMode {
  constant,  ///< 0
  colour,    ///< one normal number for each channel ("rand")
  pixel,     ///< one normal number for each value
};
/// Throws Error (usage) for a name that is none of const, rand, pixel.
[[nodiscard]] EraseMode parse_erase_mode(const std::string& name);

/// Zhong et al. 2020, "Random Erasing Data Augmentation".
struct EraseConfig {
  double probability = 0.0;
  double min_area = 0.02;
  double max_area = 1.0 / 3.0;  ///< of all rectangles of a picture together
  double min_aspect = 0.3;
  std::optional<double> max_aspect;  ///< default 1 / min_aspect
  EraseMode mode = EraseMode::constant;
  int64_t min_count = 1;
  int64_t max_count = 1;
};
/// Overwrites rectangles of a normalised picture [channels, height, width].
void erase(const EraseConfig& config, std::span<float> picture, int64_t channels, int64_t height,
           int64_t width, Draws& draws);

/// The part of a height x width picture that a random resized crop keeps: ten attempts at an area
/// in `scale` and an aspect ratio in `ratio`, else the centre.
[[nodiscard]] Rectangle random_crop(int64_t height, int64_t width,
                                    const std::array<double, 2>& scale,
                                    const std::array<double, 2>& ratio, Draws& draws);

}  // namespace saccade::train
