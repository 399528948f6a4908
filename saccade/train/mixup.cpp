#include "saccade/train/mixup.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/check.h"
#include "saccade/base/error.h"
#include "saccade/train/losses.h"

namespace saccade::train {
namespace {

CutBox minmax_box(const std::array<double, 2>& minmax, int64_t height, int64_t width,
                  Random& random) {
  const auto side = [&](int64_t size) {
    const auto low = static_cast<int64_t>(static_cast<double>(size) * minmax[0]);
    const auto high = static_cast<int64_t>(static_cast<double>(size) * minmax[1]);
    const auto range = static_cast<uint64_t>(std::max<int64_t>(1, high - low));
    return low + static_cast<int64_t>(random.below(range));
  };
  const int64_t h = side(height), w = side(width);
  const auto place = [&](int64_t range) {
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(range + 1)));
  };
  const int64_t yl = place(height - h), xl = place(width - w);
  return {yl, yl + h, xl, xl + w};
}

MixDraw draw_one(const MixupConfig& c, int64_t height, int64_t width, Random& random) {
  MixDraw draw;
  if (random.uniform() >= c.prob) return draw;
  const double cut_alpha = c.cutmix_minmax ? 1.0 : c.cutmix_alpha;
  draw.use_cutmix = cut_alpha > 0 && (c.mixup_alpha <= 0 || random.uniform() < c.switch_prob);
  const double alpha = draw.use_cutmix ? cut_alpha : c.mixup_alpha;
  draw.lam = random.beta(alpha, alpha);
  if (!draw.use_cutmix || draw.lam == 1.0) return draw;
  if (c.cutmix_minmax) {
    draw.box = minmax_box(*c.cutmix_minmax, height, width, random);
  } else {
    const auto y = static_cast<int64_t>(random.below(static_cast<uint64_t>(height)));
    const auto x = static_cast<int64_t>(random.below(static_cast<uint64_t>(width)));
    draw.box = cutmix_box(draw.lam, height, width, y, x);
  }
  if (c.correct_lam || c.cutmix_minmax) draw.lam = box_lam(draw.box, height, width);
  return draw;
}

/// x = x * lam + partner * (1 - lam), or the box of the partner.
void mix(Tensor x, const Tensor& partner, const MixDraw& draw) {
  if (draw.use_cutmix) {
    const auto& b = draw.box;
    const auto box = [&](const Tensor& t) { return t.slice(-2, b.yl, b.yh).slice(-1, b.xl, b.xh); };
    box(x).copy_(box(partner));
  } else {
    x.mul_(draw.lam).add_(partner, 1.0 - draw.lam);
  }
}

}  // namespace

MixupMode parse_mixup_mode(const std::string& name) {
  if (name == "batch") return MixupMode::batch;
  if (name == "pair") return MixupMode::pair;
  if (name == "elem") return MixupMode::elem;
  throw usage_error("mixup mode '{}': expected batch, pair or elem", name);
}

CutBox cutmix_box(double lam, int64_t height, int64_t width, int64_t centre_y, int64_t centre_x) {
  const double ratio = std::sqrt(1.0 - lam);
  const auto h = static_cast<int64_t>(static_cast<double>(height) * ratio);
  const auto w = static_cast<int64_t>(static_cast<double>(width) * ratio);
  const auto clip = [](int64_t v, int64_t size) { return std::clamp<int64_t>(v, 0, size); };
  return {clip(centre_y - h / 2, height), clip(centre_y + (h + 1) / 2, height),
          clip(centre_x - w / 2, width), clip(centre_x + (w + 1) / 2, width)};
}

double box_lam(const CutBox& box, int64_t height, int64_t width) {
  const auto area = static_cast<double>((box.yh - box.yl) * (box.xh - box.xl));
  return 1.0 - area / static_cast<double>(height * width);
}

std::vector<MixDraw> draw_mixup(const MixupConfig& config, int64_t count, int64_t height,
                                int64_t width, Random& random) {
  const int64_t draws = config.mode == MixupMode::batch  ? 1
                        : config.mode == MixupMode::pair ? count / 2
                                                         : count;
  std::vector<MixDraw> out;
  for (int64_t i = 0; i < draws; ++i) out.push_back(draw_one(config, height, width, random));
  return out;
}

Tensor apply_mixup(const MixupConfig& config, const std::vector<MixDraw>& draws, Tensor& images,
                   const Tensor& labels, int64_t num_classes) {
  const torch::NoGradGuard no_grad;
  const int64_t count = images.size(0);
  SACCADE_CHECK(count % 2 == 0, "mixup of {} pictures", count);
  auto own = smooth_one_hot(labels, num_classes, config.label_smoothing);
  const auto partner = own.flip(0);
  if (config.mode == MixupMode::batch) {
    const auto& draw = draws.at(0);
    if (draw.lam != 1.0) mix(images, images.flip(0), draw);
    return own.mul_(draw.lam).add_(partner, 1.0 - draw.lam);
  }
  const auto original = images.clone();
  auto lams = torch::empty({count, 1});
  auto lam = lams.accessor<float, 2>();
  for (int64_t i = 0; i < count; ++i) {
    const bool second = config.mode == MixupMode::pair && i >= count / 2;
    const auto& draw = draws.at(static_cast<size_t>(second ? count - 1 - i : i));
    if (draw.lam != 1.0) mix(images[i], original[count - 1 - i], draw);
    lam[i][0] = static_cast<float>(draw.lam);
  }
  return own.mul_(lams).add_(partner * (1.0 - lams));
}

}  // namespace saccade::train
