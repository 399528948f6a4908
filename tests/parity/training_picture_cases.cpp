// Training cases about pictures: the operations of automatic augmentation, random erasing and the
// rectangles of random resized crops.

#include <functional>
#include <vector>

#include "saccade/base/check.h"
#include "saccade/base/error.h"
#include "saccade/image/resize.h"
#include "saccade/image/transform.h"
#include "saccade/train/augment/auto_augment.h"
#include "saccade/train/augment/rectangles.h"
#include "tests/parity/training_check.h"

namespace saccade::parity {
namespace {

using image::Image;

/// Gives back recorded numbers; a call of another kind than recorded is a failure.
class ReplayedDraws final : public train::Draws {
 public:
  explicit ReplayedDraws(const Json& draws, std::function<double()> normal = {})
      : draws_(draws), normal_(std::move(normal)) {}

  double uniform() override { return next("random"); }
  double uniform(double, double) override { return next("uniform"); }
  int64_t integer(int64_t, int64_t) override { return static_cast<int64_t>(next("randint")); }
  double normal() override { return normal_(); }
  [[nodiscard]] bool finished() const { return at_ == draws_.size(); }

 private:
  double next(const char* function) {
    if (at_ >= draws_.size() || draws_[at_][0] != function)
      throw Error(ErrorKind::failed_check,
                  fmt::format("draw {} is not the recorded one but {}", at_, function));
    return draws_[at_++][2].get<double>();
  }

  const Json& draws_;
  std::function<double()> normal_;
  size_t at_ = 0;
};

Image to_image(const HostTensor& tensor) {
  const auto& shape = tensor.shape();
  const auto bytes = tensor.as<uint8_t>();
  return {shape.at(1), shape.at(0), shape.at(2), {bytes.begin(), bytes.end()}};
}

std::string differing(const Image& picture, const HostTensor& expected) {
  if (expected.shape() != Shape{picture.height, picture.width, picture.channels})
    return fmt::format("{}x{} instead of {}", picture.width, picture.height,
                       to_string(expected.shape()));
  const auto bytes = expected.as<uint8_t>();
  int64_t count = 0;
  for (size_t i = 0; i < bytes.size(); ++i) count += bytes[i] != picture.pixels[i];
  return count == 0 ? "" : fmt::format("{} of {} values differ", count, bytes.size());
}

/// torchvision's names beside those of the policies.
Image apply(const std::string& op, const Image& x, const std::vector<double>& args,
            Interpolation filter, train::Fill fill) {
  if (op == "torchvision.adjust_hue") return train::adjust_hue(x, args.at(0));
  if (op == "torchvision.adjust_saturation") return train::adjust_color(x, args.at(0));
  if (op == "torchvision.adjust_brightness") return train::adjust_brightness(x, args.at(0));
  if (op == "torchvision.adjust_contrast") return train::adjust_contrast(x, args.at(0));
  if (op == "grayscale3") return train::grayscale(x);
  if (op == "resized_crop") {
    const auto at = [&](size_t i) { return static_cast<int64_t>(args.at(i)); };
    return image::resize(image::crop(x, at(0), at(1), at(2), at(3)), at(4), at(5), filter);
  }
  const auto names = train::augment_op_names();
  if (std::find(names.begin(), names.end(), op) == names.end())
    throw unsupported_error("picture operation {}", op);
  return train::apply_augment_op(op, x, args.empty() ? std::nullopt : std::optional(args[0]),
                                 filter, fill);
}

Interpolation filter_named(const Json& name) {
  if (name == "nearest") return Interpolation::nearest;
  return name == "bilinear" ? Interpolation::bilinear : Interpolation::bicubic;
}

void check_ops(TrainingCheck& check) {
  const Case& c = check.source();
  for (const auto& spec : check.expected().at("ops")) {
    const auto id = spec.at("out").get<std::string>();
    const auto op = spec.at("op").get<std::string>();
    // Where Pillow 13 refuses, the picture of Pillow 12 counts.
    const auto name = (spec.contains("error") ? "p12." : "out.") + id;
    if (!check.has(name)) continue;
    const auto filter = filter_named(spec.value("resample", Json()));
    const auto values = spec.value("fill", std::vector<uint8_t>{128, 128, 128});
    const auto picture = apply(op, to_image(c.golden("in." + spec.at("image").get<std::string>())),
                               spec.at("args").get<std::vector<double>>(), filter,
                               {values.at(0), values.at(1), values.at(2)});
    check.text(fmt::format("{} ({})", op, id), differing(picture, c.golden(name)), "");
  }
}

void check_levels(TrainingCheck& check) {
  const auto levels = check.expected().at("levels").get<std::vector<double>>();
  for (const auto& [op, table] : check.expected().at("level_to_arg").items())
    for (size_t i = 0; i < levels.size(); ++i) {
      const auto argument = train::level_to_arg(op, levels[i], /*negate=*/false);
      const auto what = fmt::format("{} at level {}", op, levels[i]);
      check.text(what + ": takes an argument", argument ? "yes" : "no",
                 table.at(i).empty() ? "no" : "yes");
      if (argument && !table[i].empty()) check.number(what, *argument, table[i][0], 1e-12);
    }
}

void check_policies(TrainingCheck& check) {
  for (const auto& [name, expected] : check.expected().at("autoaugment_policies").items()) {
    Json policy = Json::array();
    for (const auto& steps : train::parse_auto_augment(name).policy) {
      Json row = Json::array();
      for (const auto& step : steps) row.push_back({step.op, step.prob, step.magnitude});
      policy.push_back(row);
    }
    check.text("policy " + name, policy == expected ? "equal" : policy.dump(), "equal");
  }
}

void check_rand_augment(TrainingCheck& check) {
  for (const auto& [text, expected] : check.expected().at("rand_augment").items()) {
    train::AutoAugmentConfig config;
    try {
      config = train::parse_auto_augment(text);
    } catch (const Error&) {
      check.text(text, "refused", expected.contains("error") ? "refused" : "accepted");
      continue;
    }
    check.text(text, "accepted", expected.contains("error") ? "refused" : "accepted");
    if (expected.contains("error")) continue;
    Json ops = Json::array();
    for (const auto& steps : config.policy) ops.push_back(steps.at(0).op);
    check.text(text + ": ops", ops.dump(), expected.at("ops").dump());
    check.number(text + ": layers", static_cast<double>(config.num_layers),
                 expected.at("num_layers"), 0);
    check.number(text + ": prob", config.policy.at(0).at(0).prob, expected.at("prob"), 0);
    check.number(text + ": magnitude", config.policy[0][0].magnitude, expected.at("magnitude"), 0);
    const double std = std::stod(expected.at("magnitude_std").get<std::string>());
    check.text(text + ": magnitude_std", fmt::format("{}", config.magnitude_std),
               fmt::format("{}", std));
    const auto& max = expected.at("magnitude_max");
    check.text(text + ": magnitude_max",
               config.magnitude_max ? fmt::format("{}", *config.magnitude_max) : "null",
               max.is_null() ? "null" : fmt::format("{}", max.get<double>()));
    if (expected.at("weights").is_null()) {
      check.text(text + ": weights", config.weights.empty() ? "none" : "some", "none");
      continue;
    }
    double sum = 0;
    for (const double weight : config.weights) sum += weight;
    for (size_t i = 0; i < expected["weights"].size(); ++i)
      check.number(text + ": weight", config.weights.at(i) / sum, expected["weights"][i], 1e-12);
  }
}

train::EraseConfig erase_config(const Json& options) {
  train::EraseConfig c;
  c.probability = options.value("probability", 0.5);
  c.min_area = options.value("min_area", c.min_area);
  c.max_area = options.value("max_area", c.max_area);
  c.min_aspect = options.value("min_aspect", c.min_aspect);
  if (options.contains("max_aspect") && !options["max_aspect"].is_null())
    c.max_aspect = options["max_aspect"].get<double>();
  c.mode = train::parse_erase_mode(options.value("mode", "const"));
  c.min_count = options.value("min_count", int64_t{1});
  const auto most = options.value("max_count", Json());
  c.max_count = most.is_null() ? c.min_count : most.get<int64_t>();
  return c;
}

void check_erasing(TrainingCheck& check, const std::string& name, const Json& spec) {
  auto images = check.in("images");
  std::vector<float> fills;
  for (int64_t i = 0; check.has(fmt::format("in.{}.fill{}", name, i)); ++i) {
    const auto fill = check.in(fmt::format("{}.fill{}", name, i)).flatten();
    for (int64_t j = 0; j < fill.numel(); ++j) fills.push_back(fill[j].item<float>());
  }
  size_t used = 0;
  ReplayedDraws draws(spec.at("draws"), [&] { return fills.at(used++); });
  const auto& options = spec.at("options");
  const auto splits = options.value("num_splits", int64_t{0});
  const int64_t first = splits > 1 ? images.size(0) / splits : 0;
  const auto config = erase_config(options);
  for (int64_t i = first; i < images.size(0); ++i) {
    auto picture = images[i];
    train::erase(config, {picture.mutable_data_ptr<float>(), static_cast<size_t>(picture.numel())},
                 picture.size(0), picture.size(1), picture.size(2), draws);
  }
  check.text(name + ": draws", draws.finished() ? "all used" : "some left", "all used");
  check.tensor(name + ".images", images);
}

void check_crops(TrainingCheck& check, const Json& cases) {
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto& spec = cases[i];
    ReplayedDraws draws(spec.at("draws"));
    const auto r = train::random_crop(spec.at("h"), spec.at("w"),
                                      spec.at("scale").get<std::array<double, 2>>(),
                                      spec.at("ratio").get<std::array<double, 2>>(), draws);
    check.text(fmt::format("random resized crop {}", i),
               Json({r.top, r.left, r.height, r.width}).dump(), spec.at("top_left_h_w").dump());
  }
}

}  // namespace

void run_augment_ops(TrainingCheck& check) {
  check_ops(check);
  check_levels(check);
  check_policies(check);
  check_rand_augment(check);
}

void run_random_erasing(TrainingCheck& check) {
  for (const auto& [name, spec] : check.expected().items()) {
    if (name == "random_resized_crop")
      check_crops(check, spec);
    else
      check_erasing(check, name, spec);
  }
}

}  // namespace saccade::parity
