#include "saccade/train/augment/auto_augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "saccade/base/check.h"
#include "saccade/base/error.h"
#include "saccade/train/augment/policies.h"

namespace saccade::train {
namespace {

constexpr double kLevels = 10.0;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Argument = std::optional<double> (*)(double part, bool negate, const LevelSettings& settings);
using Apply = Image (*)(const Image& picture, double argument, Interpolation filter, Fill fill);

double directed(double value, bool negate) { return negate ? -value : value; }

// Arguments by part = level / 10.
std::optional<double> none(double, bool, const LevelSettings&) { return std::nullopt; }
std::optional<double> degrees(double part, bool negate, const LevelSettings&) {
  return directed(part * 30.0, negate);
}
std::optional<double> bits(double part, bool, const LevelSettings&) { return std::trunc(part * 4); }
std::optional<double> bits_increasing(double part, bool, const LevelSettings&) {
  return 4 - std::trunc(part * 4);
}
std::optional<double> bits_original(double part, bool, const LevelSettings&) {
  return std::trunc(part * 4) + 4;
}
std::optional<double> threshold(double part, bool, const LevelSettings&) {
  return std::min(256.0, std::trunc(part * 256));
}
std::optional<double> threshold_increasing(double part, bool, const LevelSettings&) {
  return 256.0 - std::min(256.0, std::trunc(part * 256));
}
std::optional<double> addend(double part, bool, const LevelSettings&) {
  return std::min(128.0, std::trunc(part * 110));
}
std::optional<double> enhance(double part, bool, const LevelSettings&) { return part * 1.8 + 0.1; }
std::optional<double> enhance_increasing(double part, bool negate, const LevelSettings&) {
  return std::max(0.1, 1.0 + directed(part * 0.9, negate));
}
std::optional<double> shear(double part, bool negate, const LevelSettings&) {
  return directed(part * 0.3, negate);
}
std::optional<double> pixels(double part, bool negate, const LevelSettings& settings) {
  return directed(part * settings.translate_const, negate);
}
std::optional<double> share(double part, bool negate, const LevelSettings& settings) {
  return directed(part * settings.translate_pct, negate);
}
std::optional<double> between(double low, double high, double part) {
  return std::clamp(low + (high - low) * part, low, high);
}
std::optional<double> desaturation(double part, bool, const LevelSettings&) {
  return between(0.5, 1.0, part);
}
std::optional<double> blur_radius(double part, bool, const LevelSettings&) {
  return between(0.1, 2.0, part);
}
std::optional<double> unit(double part, bool, const LevelSettings&) {
  return between(0.0, 1.0, part);
}

Image do_posterize(const Image& x, double a, Interpolation, Fill) {
  return posterize(x, static_cast<int64_t>(a));
}
Image do_solarize(const Image& x, double a, Interpolation, Fill) {
  return solarize(x, static_cast<int64_t>(a));
}
Image do_color(const Image& x, double a, Interpolation, Fill) { return adjust_color(x, a); }
Image do_contrast(const Image& x, double a, Interpolation, Fill) { return adjust_contrast(x, a); }
Image do_brightness(const Image& x, double a, Interpolation, Fill) {
  return adjust_brightness(x, a);
}
Image do_sharpness(const Image& x, double a, Interpolation, Fill) { return adjust_sharpness(x, a); }
Image do_blur(const Image& x, double a, Interpolation, Fill) { return gaussian_blur(x, a); }

struct Op {
  std::string_view name;
  Argument argument;
  Apply apply;
};

constexpr Op kOps[] = {
    {"AutoContrast", none,
     [](const Image& x, double, Interpolation, Fill) { return auto_contrast(x); }},
    {"Brightness", enhance, do_brightness},
    {"BrightnessIncreasing", enhance_increasing, do_brightness},
    {"Color", enhance, do_color},
    {"ColorIncreasing", enhance_increasing, do_color},
    {"Contrast", enhance, do_contrast},
    {"ContrastIncreasing", enhance_increasing, do_contrast},
    {"Desaturate", desaturation,
     [](const Image& x, double a, Interpolation, Fill) {
       return adjust_color(x, std::clamp(1.0 - a, 0.0, 1.0));
     }},
    {"Equalize", none, [](const Image& x, double, Interpolation, Fill) { return equalize(x); }},
    {"GaussianBlur", blur_radius, do_blur},
    {"GaussianBlurRand", unit, do_blur},
    {"Invert", none, [](const Image& x, double, Interpolation, Fill) { return invert(x); }},
    {"Posterize", bits, do_posterize},
    {"PosterizeIncreasing", bits_increasing, do_posterize},
    {"PosterizeOriginal", bits_original, do_posterize},
    {"Rotate", degrees, rotate},
    {"Sharpness", enhance, do_sharpness},
    {"SharpnessIncreasing", enhance_increasing, do_sharpness},
    {"ShearX", shear, shear_x},
    {"ShearY", shear, shear_y},
    {"Solarize", threshold, do_solarize},
    {"SolarizeAdd", addend,
     [](const Image& x, double a, Interpolation, Fill) {
       return solarize_add(x, static_cast<int64_t>(a));
     }},
    {"SolarizeIncreasing", threshold_increasing, do_solarize},
    {"TranslateX", pixels,
     [](const Image& x, double a, Interpolation f, Fill fill) {
       return translate(x, a, 0, f, fill);
     }},
    {"TranslateXRel", share,
     [](const Image& x, double a, Interpolation f, Fill fill) {
       return translate(x, a * static_cast<double>(x.width), 0, f, fill);
     }},
    {"TranslateY", pixels,
     [](const Image& x, double a, Interpolation f, Fill fill) {
       return translate(x, 0, a, f, fill);
     }},
    {"TranslateYRel", share,
     [](const Image& x, double a, Interpolation f, Fill fill) {
       return translate(x, 0, a * static_cast<double>(x.height), f, fill);
     }},
};

const Op& find_op(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kOps), std::end(kOps), [&](const Op& op) { return op.name == name; });
  SACCADE_CHECK(found != std::end(kOps), "no picture operation '{}'", name);
  return *found;
}

/// "mstd0.5" -> {"mstd", "0.5"}: the value begins with the first digit; empty if there is none.
std::pair<std::string, std::string> split_section(const std::string& section) {
  const auto digit = section.find_first_of("0123456789");
  if (digit == section.npos) return {section, ""};
  return {section.substr(0, digit), section.substr(digit)};
}

double number_of(const std::string& text, const std::string& value) {
  size_t used = 0;
  double number = 0;
  try {
    number = std::stod(value, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used != value.size() || value.empty())
    throw usage_error("auto_augment '{}': '{}' is no number", text, value);
  return number;
}

std::vector<std::string> sections_of(const std::string& text) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == '-')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

Error unknown_section(const std::string& text, const std::string& section) {
  return usage_error("auto_augment '{}': unknown section '{}'", text, section);
}

AutoAugmentConfig parse_rand(const std::string& text, const std::vector<std::string>& sections) {
  AutoAugmentConfig config;
  config.num_layers = 2;
  double magnitude = kLevels, prob = 0.5;
  bool increasing = false;
  std::string set;
  for (size_t i = 1; i < sections.size(); ++i) {
    if (sections[i].starts_with("t")) {
      set = sections[i].substr(1);
      continue;
    }
    const auto [key, value] = split_section(sections[i]);
    if (value.empty()) continue;  // "mstdinf" has no digits: timm ignores it, and so do we
    const double number = number_of(text, value);
    if (key == "mstd")
      config.magnitude_std = number > 100 ? kInfinity : number;
    else if (key == "mmax")
      config.magnitude_max = std::trunc(number);
    else if (key == "inc")
      increasing = number != 0;
    else if (key == "m")
      magnitude = std::trunc(number);
    else if (key == "n")
      config.num_layers = static_cast<int64_t>(number);
    else if (key == "p")
      prob = number;
    else
      throw unknown_section(text, sections[i]);
  }
  for (const auto& [op, weight] : rand_augment_choices(set, increasing)) {
    config.policy.push_back({{op, prob, magnitude}});
    if (weight > 0) config.weights.push_back(weight);
  }
  if (!config.weights.empty() && config.num_layers > static_cast<int64_t>(config.weights.size()))
    throw usage_error("auto_augment '{}': {} layers of {} operations", text, config.num_layers,
                      config.weights.size());
  return config;
}

/// Positions drawn by weight, each at most once.
std::vector<size_t> draw_weighted(std::vector<double> weights, int64_t count, Random& random) {
  std::vector<size_t> out;
  for (int64_t i = 0; i < count; ++i) {
    double left = random.uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
    size_t pick = 0;
    while (pick + 1 < weights.size() && (weights[pick] == 0.0 || left >= weights[pick]))
      left -= weights[pick++];
    weights[pick] = 0.0;
    out.push_back(pick);
  }
  return out;
}

Image apply_policy_op(const AutoAugmentConfig& config, const PolicyOp& op, Image picture,
                      Random& random, const AutoAugmentSettings& settings) {
  if (op.prob < 1.0 && random.uniform() > op.prob) return picture;
  double magnitude = op.magnitude;
  if (config.magnitude_std == kInfinity)
    magnitude = random.uniform(0.0, magnitude);
  else if (config.magnitude_std > 0)
    magnitude += config.magnitude_std * random.normal();
  magnitude = std::clamp(magnitude, 0.0, config.magnitude_max.value_or(kLevels));
  auto argument = level_to_arg(op.op, magnitude, random.uniform() > 0.5, settings.levels);
  if (op.op == "GaussianBlurRand") argument = random.uniform(0.1, 2.0 * *argument);
  const auto either = random.below(2) == 0 ? Interpolation::bilinear : Interpolation::bicubic;
  return apply_augment_op(op.op, picture, argument, settings.filter.value_or(either),
                          settings.fill);
}

}  // namespace

std::span<const std::string_view> augment_op_names() {
  static const auto names = [] {
    std::array<std::string_view, std::size(kOps)> out;
    std::transform(std::begin(kOps), std::end(kOps), out.begin(),
                   [](const Op& op) { return op.name; });
    return out;
  }();
  return names;
}

std::optional<double> level_to_arg(std::string_view op, double level, bool negate,
                                   const LevelSettings& settings) {
  return find_op(op).argument(level / kLevels, negate, settings);
}

Image apply_augment_op(std::string_view op, const Image& picture, std::optional<double> argument,
                       Interpolation filter, Fill fill) {
  return find_op(op).apply(picture, argument.value_or(0.0), filter, fill);
}

AutoAugmentConfig parse_auto_augment(const std::string& text) {
  const auto sections = sections_of(text);
  if (sections[0] == "rand") return parse_rand(text, sections);
  AutoAugmentConfig config;
  config.policy = auto_augment_policy(sections[0]);
  if (config.policy.empty())
    throw usage_error(
        "auto_augment '{}': expected rand, original, originalr, v0, v0r or 3a in front", text);
  for (size_t i = 1; i < sections.size(); ++i) {
    const auto [key, value] = split_section(sections[i]);
    if (value.empty()) continue;
    if (key != "mstd") throw unknown_section(text, sections[i]);
    config.magnitude_std = number_of(text, value);
  }
  return config;
}

Image auto_augment(const AutoAugmentConfig& config, Image picture, Random& random,
                   const AutoAugmentSettings& settings) {
  const auto any = [&] { return static_cast<size_t>(random.below(config.policy.size())); };
  std::vector<size_t> picks;
  if (!config.weights.empty())
    picks = draw_weighted(config.weights, config.num_layers, random);
  else
    for (int64_t i = 0; i < config.num_layers; ++i) picks.push_back(any());
  for (const size_t pick : picks)
    for (const auto& op : config.policy[pick])
      picture = apply_policy_op(config, op, std::move(picture), random, settings);
  return picture;
}

}  // namespace saccade::train
