#include "saccade/base/pipeline.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>
#include <utility>

#include "saccade/base/error.h"

namespace saccade {
namespace {

template <class E>
using Names = std::span<const std::pair<std::string_view, E>>;

constexpr std::pair<std::string_view, Interpolation> kInterpolations[] = {
    {"nearest", Interpolation::nearest},   {"box", Interpolation::box},
    {"bilinear", Interpolation::bilinear}, {"hamming", Interpolation::hamming},
    {"bicubic", Interpolation::bicubic},   {"lanczos", Interpolation::lanczos}};

constexpr std::pair<std::string_view, ResizeRule> kResizeRules[] = {
    {"none", ResizeRule::none},
    {"shorter_side", ResizeRule::shorter_side},
    {"cover", ResizeRule::cover},
    {"fit", ResizeRule::fit},
    {"exact", ResizeRule::exact}};

constexpr std::pair<std::string_view, CropRule> kCropRules[] = {
    {"none", CropRule::none},
    {"centre", CropRule::centre},
    {"centre_floor", CropRule::centre_floor}};

/// Pillow's numbers of the filters, in order: what Hugging Face calls "resample".
constexpr Interpolation kPillowNumbers[] = {Interpolation::nearest,  Interpolation::lanczos,
                                            Interpolation::bilinear, Interpolation::bicubic,
                                            Interpolation::box,      Interpolation::hamming};

template <class E>
std::string_view text_of(E value, Names<E> names) {
  return std::ranges::find(names, value, &std::pair<std::string_view, E>::second)->first;
}

template <class E>
E named(const Json& json, std::string_view key, Names<E> names, std::string_view where) {
  const std::string text = json_string(json, key, where);
  std::string known;
  for (const auto& [candidate, value] : names) {
    if (candidate == text) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", candidate);
  }
  throw input_error(where, "\"{}\" is \"{}\" (known: {})", key, text, known);
}

bool has_value(const Json& json, std::string_view key) {
  const auto it = json.find(key);
  return it != json.end() && !it->is_null();
}

void require_object(const Json& json, std::string_view where) {
  if (!json.is_object())
    throw input_error(where, "a pipeline is a JSON object, this is {}", json.type_name());
}

int64_t side(const Json& json, std::string_view key, std::string_view where) {
  const int64_t value = json_int(json, key, where);
  if (value < 1 || value > kMaxPipelineSide)
    throw input_error(where, "\"{}\" must lie in 1 .. {}, is {}", key, kMaxPipelineSide, value);
  return value;
}

/// Three finite numbers that stay finite in single precision.
std::array<double, 3> triple(const Json& json, std::string_view key, std::string_view where) {
  const auto& list = json.at(key);
  const auto fits = [](const Json& v) {
    return v.is_number() && std::isfinite(static_cast<float>(v.get<double>()));
  };
  if (!list.is_array() || list.size() != 3 || !std::all_of(list.begin(), list.end(), fits))
    throw input_error(where, "\"{}\" must be three numbers, is {}", key, list.dump());
  return {list[0].get<double>(), list[1].get<double>(), list[2].get<double>()};
}

void require_deviations(const std::array<double, 3>& std, std::string_view key,
                        std::string_view where) {
  for (const double value : std)
    if (!(static_cast<float>(value) > 0.0f))
      throw input_error(where, "\"{}\" must be positive, has {}", key, value);
}

void require_area(int64_t height, int64_t width, std::string_view where) {
  if (height * width > kMaxPipelinePixels)
    throw input_error(where, "{} x {} exceeds {} pixels", width, height, kMaxPipelinePixels);
}

double positive_number(const Json& json, std::string_view key, std::string_view where) {
  const double value = json_number(json, key, where);
  if (!(value > 0.0) || !std::isfinite(static_cast<float>(value)))
    throw input_error(where, "\"{}\" must be a positive number, is {}", key, value);
  return value;
}

/// Refuses what the fields allow one by one but not together.
Pipeline validated(Pipeline p, std::string_view where) {
  require_deviations(p.std, "std", where);
  require_area(p.resize_height, p.resize_width, where);
  require_area(p.crop_height, p.crop_width, where);
  if (p.resize == ResizeRule::shorter_side && p.resize_height != p.resize_width)
    throw input_error(where, "\"shorter_side\" takes one size, not {} x {}", p.resize_width,
                      p.resize_height);
  if (!p.rescale_in_double && p.rescale != 1.0 / 255.0)
    throw input_error(where, "\"rescale\" other than 1/255 needs \"rescale_in_double\"");
  return p;
}

std::array<uint8_t, 3> fill_from_json(const Json& json, std::string_view where) {
  const auto values = triple(json, "fill", where);
  std::array<uint8_t, 3> fill{};
  for (size_t i = 0; i < 3; ++i) {
    if (values[i] != std::floor(values[i]) || values[i] < 0 || values[i] > 255)
      throw input_error(where, "\"fill\" must be three integers in 0 .. 255");
    fill[i] = static_cast<uint8_t>(values[i]);
  }
  return fill;
}

// ---- timm ----------------------------------------------------------------------------------

struct InputSize {
  int64_t height = 224;
  int64_t width = 224;
};

InputSize timm_input_size(const Json& config, std::string_view where) {
  if (!has_value(config, "input_size")) return {};
  const auto& list = config.at("input_size");
  if (!list.is_array() || list.size() != 3)
    throw input_error(where, "\"input_size\" must be [channels, height, width], is {}",
                      list.dump());
  const Json parts = {{"channels", list[0]}, {"height", list[1]}, {"width", list[2]}};
  const std::string inside = fmt::format("{}: input_size", where);
  if (const auto channels = json_int(parts, "channels", inside); channels != 3)
    throw unsupported_error("{}: pictures of {} channels (only RGB is supported)", where, channels);
  return {side(parts, "height", inside), side(parts, "width", inside)};
}

/// floor(side / crop_pct), in double as in Python.
int64_t timm_scale(int64_t side, double crop_pct, std::string_view where) {
  const double scaled = std::floor(static_cast<double>(side) / crop_pct);
  if (!(scaled >= 1.0 && scaled <= static_cast<double>(kMaxPipelineSide)))
    throw input_error(where, "\"crop_pct\" of {} makes {} into {}", crop_pct, side, scaled);
  return static_cast<int64_t>(scaled);
}

/// Python's round(255 * v): half to even.
std::array<uint8_t, 3> timm_fill(const std::array<double, 3>& mean, std::string_view where) {
  std::array<uint8_t, 3> fill{};
  for (size_t i = 0; i < 3; ++i) {
    const double value = std::nearbyint(255.0 * mean[i]);
    if (value < 0 || value > 255)
      throw input_error(where, "a border cannot be filled with a mean of {}", mean[i]);
    fill[i] = static_cast<uint8_t>(value);
  }
  return fill;
}

Pipeline timm_pipeline(const Json& config, std::string_view where) {
  Pipeline p;
  const auto [height, width] = timm_input_size(config, where);
  p.crop_height = height;
  p.crop_width = width;
  if (has_value(config, "interpolation"))
    p.interpolation = named<Interpolation>(config, "interpolation", kInterpolations, where);
  if (has_value(config, "mean")) p.mean = triple(config, "mean", where);
  if (has_value(config, "std")) p.std = triple(config, "std", where);
  constexpr double kDefaultCrop = 0.875;
  double crop_pct = kDefaultCrop;
  if (has_value(config, "crop_pct") && json_number(config, "crop_pct", where) != 0.0)
    crop_pct = positive_number(config, "crop_pct", where);  // 0 is "not given" in timm
  p.resize_height = timm_scale(height, crop_pct, where);
  p.resize_width = timm_scale(width, crop_pct, where);
  const std::string mode =
      has_value(config, "crop_mode") ? json_string(config, "crop_mode", where) : "center";
  if (mode == "squash") {
    p.resize = ResizeRule::exact;
  } else if (mode == "border") {
    p.resize = ResizeRule::fit;
    p.fill = timm_fill(p.mean, where);
  } else if (mode == "center") {
    p.resize = p.resize_height == p.resize_width ? ResizeRule::shorter_side : ResizeRule::cover;
  } else {
    throw input_error(where, "\"crop_mode\" is \"{}\" (known: center, squash, border)", mode);
  }
  return validated(p, where);
}

// ---- Hugging Face --------------------------------------------------------------------------

/// {"height", "width"}, one number for a square, or [height, width] (get_size_dict).
std::pair<int64_t, int64_t> hf_size(const Json& config, std::string_view key,
                                    std::string_view where) {
  const auto& size = config.at(key);
  if (size.is_number()) {
    const int64_t both = side(config, key, where);
    return {both, both};
  }
  const std::string inside = fmt::format("{}: {}", where, key);
  if (size.is_array() && size.size() == 2) {
    const Json parts = {{"height", size[0]}, {"width", size[1]}};
    return {side(parts, "height", inside), side(parts, "width", inside)};
  }
  if (!size.is_object() || size.size() != 2 || !size.contains("height") || !size.contains("width"))
    throw input_error(where, "\"{}\" must have \"height\" and \"width\", is {}", key, size.dump());
  return {side(size, "height", inside), side(size, "width", inside)};
}

std::array<double, 3> hf_triple(const Json& config, std::string_view key, std::string_view where) {
  if (!has_value(config, key)) return {0.5, 0.5, 0.5};  // IMAGENET_STANDARD_MEAN and _STD
  const auto& value = config.at(key);
  if (!value.is_number()) return triple(config, key, where);
  const double v = value.get<double>();
  return triple(Json{{std::string(key), {v, v, v}}}, key, where);
}

bool hf_flag(const Json& config, std::string_view key, bool missing, std::string_view where) {
  return config.contains(key) ? json_bool(config, key, where) : missing;
}

Interpolation hf_filter(const Json& config, Interpolation missing, std::string_view where) {
  if (!config.contains("resample")) return missing;
  const int64_t number = json_int(config, "resample", where);
  if (number < 0 || number >= static_cast<int64_t>(std::size(kPillowNumbers)))
    throw input_error(where, "\"resample\" must lie in 0 .. 5, is {}", number);
  return kPillowNumbers[number];
}

enum class Processor { vit, deit };

Processor hf_processor(const Json& config, std::string_view where) {
  const bool crops = config.contains("do_center_crop") || config.contains("crop_size");
  const Processor guess = crops ? Processor::deit : Processor::vit;
  const bool old = !config.contains("image_processor_type");
  const std::string_view key = old ? "feature_extractor_type" : "image_processor_type";
  if (!config.contains(key)) return guess;
  const std::string type = json_string(config, key, where);
  for (const std::string_view kind : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"}) {
    if (type == fmt::format("ViT{}", kind)) return Processor::vit;
    if (type == fmt::format("DeiT{}", kind)) return Processor::deit;
  }
  throw unsupported_error("{}: the image processor {} (supported: ViT and DeiT)", where, type);
}

}  // namespace

std::string_view name(Interpolation interpolation) {
  return text_of<Interpolation>(interpolation, kInterpolations);
}

Json to_json(const Pipeline& p) {
  return {{"resize", text_of<ResizeRule>(p.resize, kResizeRules)},
          {"resize_height", p.resize_height},
          {"resize_width", p.resize_width},
          {"interpolation", name(p.interpolation)},
          {"crop", text_of<CropRule>(p.crop, kCropRules)},
          {"crop_height", p.crop_height},
          {"crop_width", p.crop_width},
          {"do_rescale", p.do_rescale},
          {"rescale", p.rescale},
          {"rescale_in_double", p.rescale_in_double},
          {"do_normalize", p.do_normalize},
          {"mean", p.mean},
          {"std", p.std},
          {"fill", p.fill},
          {"apply_exif_orientation", p.apply_exif_orientation}};
}

Pipeline pipeline_from_json(const Json& json, std::string_view where) {
  require_object(json, where);
  const Json known = to_json({});
  for (const auto& [key, value] : json.items())
    if (!known.contains(key)) throw input_error(where, "unknown key \"{}\" in a pipeline", key);
  Json all = known;
  all.update(json);
  Pipeline p;
  p.resize = named<ResizeRule>(all, "resize", kResizeRules, where);
  p.resize_height = side(all, "resize_height", where);
  p.resize_width = side(all, "resize_width", where);
  p.interpolation = named<Interpolation>(all, "interpolation", kInterpolations, where);
  p.crop = named<CropRule>(all, "crop", kCropRules, where);
  p.crop_height = side(all, "crop_height", where);
  p.crop_width = side(all, "crop_width", where);
  p.do_rescale = json_bool(all, "do_rescale", where);
  p.rescale = positive_number(all, "rescale", where);
  p.rescale_in_double = json_bool(all, "rescale_in_double", where);
  p.do_normalize = json_bool(all, "do_normalize", where);
  p.mean = triple(all, "mean", where);
  p.std = triple(all, "std", where);
  p.fill = fill_from_json(all, where);
  p.apply_exif_orientation = json_bool(all, "apply_exif_orientation", where);
  return validated(p, where);
}

Pipeline pipeline_from_timm(const Json& config, std::string_view where) {
  require_object(config, where);
  if (!has_value(config, "pretrained_cfg")) return timm_pipeline(config, where);
  const auto& inner = config.at("pretrained_cfg");
  const std::string inside = fmt::format("{}: pretrained_cfg", where);
  require_object(inner, inside);
  return timm_pipeline(inner, inside);
}

Pipeline pipeline_from_huggingface(const Json& config, std::string_view where) {
  require_object(config, where);
  const bool deit = hf_processor(config, where) == Processor::deit;
  Pipeline p;
  p.rescale_in_double = true;
  p.apply_exif_orientation = true;  // transformers.image_utils.load_image
  const int64_t default_size = deit ? 256 : 224;
  p.resize_height = p.resize_width = default_size;
  if (config.contains("size"))
    std::tie(p.resize_height, p.resize_width) = hf_size(config, "size", where);
  p.resize = hf_flag(config, "do_resize", true, where) ? ResizeRule::exact : ResizeRule::none;
  p.interpolation =
      hf_filter(config, deit ? Interpolation::bicubic : Interpolation::bilinear, where);
  p.crop = CropRule::none;
  if (deit && hf_flag(config, "do_center_crop", true, where)) p.crop = CropRule::centre_floor;
  if (config.contains("crop_size"))
    std::tie(p.crop_height, p.crop_width) = hf_size(config, "crop_size", where);
  p.do_rescale = hf_flag(config, "do_rescale", true, where);
  if (config.contains("rescale_factor"))
    p.rescale = positive_number(config, "rescale_factor", where);
  p.do_normalize = hf_flag(config, "do_normalize", true, where);
  p.mean = hf_triple(config, "image_mean", where);
  p.std = hf_triple(config, "image_std", where);
  require_deviations(p.std, "image_std", where);
  return validated(p, where);
}

std::optional<Json> pipeline_to_huggingface(const Pipeline& p) {
  const bool crops = p.crop != CropRule::none;
  const auto* const filter = std::ranges::find(kPillowNumbers, p.interpolation);
  Json out = {{"image_processor_type", crops ? "DeiTImageProcessor" : "ViTImageProcessor"},
              {"do_resize", p.resize != ResizeRule::none},
              {"size", {{"height", p.resize_height}, {"width", p.resize_width}}},
              {"resample", filter - std::begin(kPillowNumbers)},
              {"do_rescale", p.do_rescale},
              {"rescale_factor", p.rescale},
              {"do_normalize", p.do_normalize},
              {"image_mean", p.mean},
              {"image_std", p.std}};
  if (crops) {
    out["do_center_crop"] = true;
    out["crop_size"] = {{"height", p.crop_height}, {"width", p.crop_width}};
  }
  auto back = pipeline_from_huggingface(out, "preprocessor_config.json");
  back.apply_exif_orientation = p.apply_exif_orientation;  // who loads the picture decides
  if (!crops) back.crop_height = p.crop_height, back.crop_width = p.crop_width;
  return back == p ? std::optional(out) : std::nullopt;
}

namespace {

/// The share of the resized side that is cropped. Sizes are whole pixels, so shares that published
/// pipelines have come before the mere quotient.
double cropped_share(int64_t crop, int64_t resize) {
  constexpr double kPublished[] = {1.0, 0.9, 0.875, 0.95, 0.965, 0.96, 0.94};
  for (const double share : kPublished)
    if (std::floor(static_cast<double>(crop) / share) == static_cast<double>(resize)) return share;
  return static_cast<double>(crop) / static_cast<double>(resize);
}

}  // namespace

Pipeline for_size(const Pipeline& pipeline, int64_t height, int64_t width) {
  const auto side = [&](int64_t wanted, int64_t crop, int64_t resize) {
    if (pipeline.crop == CropRule::none) return wanted;
    if (wanted == crop) return resize;
    return static_cast<int64_t>(
        std::floor(static_cast<double>(wanted) / cropped_share(crop, resize)));
  };
  Pipeline out = pipeline;
  out.resize_height = side(height, pipeline.crop_height, pipeline.resize_height);
  out.resize_width = side(width, pipeline.crop_width, pipeline.resize_width);
  out.crop_height = height, out.crop_width = width;
  if (height != width && out.resize == ResizeRule::shorter_side) out.resize = ResizeRule::cover;
  return out;
}

Pipeline pipeline_from_any(const Json& config, std::string_view where) {
  require_object(config, where);
  const auto has_one = [&](std::initializer_list<std::string_view> keys) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](std::string_view key) { return config.contains(key); });
  };
  if (has_one({"pretrained_cfg", "input_size", "crop_pct", "crop_mode"}))
    return pipeline_from_timm(config, where);
  if (has_one({"image_processor_type", "feature_extractor_type", "image_mean", "do_resize", "size",
               "resample", "rescale_factor"}))
    return pipeline_from_huggingface(config, where);
  if (has_one({"resize", "resize_height", "crop", "crop_height", "rescale_in_double"}))
    return pipeline_from_json(config, where);
  throw input_error(where,
                    "no pipeline: expected a preprocessor_config.json (image_processor_type, "
                    "size), a timm config (pretrained_cfg, input_size) or Saccade's own form");
}

Pipeline read_pipeline(const std::filesystem::path& path) {
  return pipeline_from_any(read_json(path), path.string());
}

}  // namespace saccade
