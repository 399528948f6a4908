// Golden cases of pictures: decoding, resizing, pipelines and their sizes.

#include <algorithm>
#include <cstring>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/sha256.h"
#include "saccade/image/decode.h"
#include "saccade/image/preprocess.h"
#include "saccade/image/resize.h"
#include "tests/parity/golden.h"

namespace saccade::parity {
namespace {

using image::Image;

/// Collects what differs and what was looked at.
struct Findings {
  const Case& c;
  std::vector<std::string> failures;
  std::vector<std::string> unsupported;
  int64_t checks = 0;

  /// Compares if the case holds a tensor of that name.
  void check(const std::string& name, const HostTensor& actual) {
    if (!has(name)) return;
    ++checks;
    if (auto difference = compare(c, name, actual); !difference.empty())
      failures.push_back(std::move(difference));
  }
  void expect(bool holds, const std::string& what) {
    ++checks;
    if (!holds) failures.push_back(what);
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return c.json.at("tensors").contains(name);
  }

  [[nodiscard]] Outcome outcome() const {
    if (!failures.empty())
      return {Status::failed,
              fmt::format("{} of {} checks: {}", failures.size(), checks, failures.front())};
    if (!unsupported.empty()) {
      std::string names;
      for (const auto& name : unsupported) names += (names.empty() ? "" : ", ") + name;
      return {Status::unsupported, fmt::format("{} ({} other checks hold)", names, checks)};
    }
    if (checks == 0) return {Status::failed, "the case holds nothing to check"};
    return {Status::passed, ""};
  }
};

HostTensor tensor_of(const Image& picture) {
  return HostTensor::of<uint8_t>({picture.height, picture.width, picture.channels},
                                 std::span(std::as_const(picture.pixels)));
}

Json expected(const Case& c) { return read_json(c.folder / "expected.json"); }

// ---- decode --------------------------------------------------------------------------------

void check_decoding(const std::string& name, const Json& wanted, Findings& found) {
  const Case& c = found.c;
  const auto path = c.folder / c.json.at("config").value("files", "") / name;
  if (wanted.contains("error")) {
    try {
      (void)image::read_image(path);
      found.expect(false, name + " was accepted");
    } catch (const Error& error) {
      found.expect(error.kind() == ErrorKind::bad_input, error.what());
    }
    return;
  }
  const Image picture = image::read_image(path);
  found.check("out." + name + ".rgb", tensor_of(picture));
  if (wanted.contains("sha256_rgb"))
    found.expect(
        sha256(std::as_bytes(std::span(picture.pixels))) == json_string(wanted, "sha256_rgb", name),
        name + ": other pixels");
  if (found.has("out." + name + ".transposed")) {
    image::DecodeOptions options;
    options.apply_exif_orientation = true;
    found.check("out." + name + ".transposed", tensor_of(image::read_image(path, options)));
  }
}

// ---- Image.resize --------------------------------------------------------------------------

image::ResizeRequest resize_request(const Json& wanted, image::PillowRules rules) {
  image::ResizeRequest request;
  request.width = wanted.at("size_wh").at(0).get<int64_t>();
  request.height = wanted.at("size_wh").at(1).get<int64_t>();
  const Json filter = {{"interpolation", wanted.at("filter")}};
  request.filter = pipeline_from_json(filter, "filter").interpolation;
  if (const auto box = wanted.find("box"); box != wanted.end() && !box->is_null())
    request.box = image::Box{box->at(0).get<float>(), box->at(1).get<float>(),
                             box->at(2).get<float>(), box->at(3).get<float>()};
  request.rules = rules;
  return request;
}

HostTensor resized(const HostTensor& in, const image::ResizeRequest& request) {
  const int64_t height = in.shape().at(0), width = in.shape().at(1);
  if (in.dtype() == DType::F32) {
    const auto samples = in.as<float>();
    const auto out = image::resize(
        image::Plane<float>{width, height, {samples.begin(), samples.end()}}, request);
    return HostTensor::of<float>({out.height, out.width}, std::span(out.samples));
  }
  if (in.dtype() == DType::I32) {  // I;16
    const auto samples = in.as<int32_t>();
    const auto out = image::resize(
        image::Plane<uint16_t>{width, height, {samples.begin(), samples.end()}}, request);
    const std::vector<int32_t> wide(out.samples.begin(), out.samples.end());
    return HostTensor::of<int32_t>({out.height, out.width}, std::span(wide));
  }
  const auto samples = in.as<uint8_t>();
  const bool flat = in.shape().size() == 2;
  const Image out = image::resize(
      Image{width, height, flat ? 1 : in.shape().at(2), {samples.begin(), samples.end()}}, request);
  Shape shape{out.height, out.width};
  if (!flat) shape.push_back(out.channels);
  return HostTensor::of<uint8_t>(shape, std::span(out.pixels));
}

void check_resize(const std::string& name, const Json& wanted, Findings& found) {
  const HostTensor in = found.c.golden("in." + json_string(wanted, "image", name));
  found.check("out." + name, resized(in, resize_request(wanted, image::PillowRules::v13)));
  found.check("p12." + name, resized(in, resize_request(wanted, image::PillowRules::v12)));
}

// ---- pipelines -----------------------------------------------------------------------------

/// Every `step`-th row and column of [3, H, W].
HostTensor strided(const HostTensor& tensor, int64_t step) {
  const int64_t height = tensor.shape()[1], width = tensor.shape()[2];
  const int64_t rows = (height + step - 1) / step, columns = (width + step - 1) / step;
  HostTensor result(DType::F32, {3, rows, columns});
  const auto from = tensor.as<float>();
  const auto to = result.fill<float>();
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < columns; ++x)
        to[(c * rows + y) * columns + x] = from[(c * height + y * step) * width + x * step];
  return result;
}

void check_timm(const std::string& name, const Json& wanted, Findings& found) {
  const auto path = found.c.folder / json_string(wanted, "picture", name);
  const Pipeline pipeline = pipeline_from_timm(wanted.at("config"), name);
  const HostTensor tensor = image::read_and_preprocess(path, pipeline);
  found.expect(Json(tensor.shape()) == wanted.value("out_shape", Json(tensor.shape())),
               name + ": shape " + to_string(tensor.shape()));
  found.check("out." + name, tensor);
  found.check("out." + name + ".stride7", strided(tensor, 7));
  if (found.has("out." + name + ".u8"))
    found.check("out." + name + ".u8",
                tensor_of(image::fit_picture(image::read_image(path), pipeline)));
}

/// Pictures lie beside the case; a tensor out.<name>.<picture> may hold every fourth row and
/// column.
void check_huggingface(const std::string& name, const Json& wanted, Findings& found) {
  const std::string processor = wanted.value("processor", "");
  if (processor != "ViTImageProcessor" && processor != "DeiTImageProcessor") {
    found.unsupported.push_back(name);
    return;
  }
  Json config = wanted.at("config");
  config["image_processor_type"] = processor;
  const Pipeline pipeline = pipeline_from_huggingface(config, name);
  for (const auto& entry : std::filesystem::directory_iterator(found.c.folder)) {
    const std::string tensor_name = fmt::format("out.{}.{}", name, entry.path().stem().string());
    if (entry.path().extension() != ".png" || !found.has(tensor_name)) continue;
    const HostTensor tensor = image::read_and_preprocess(entry.path(), pipeline);
    const int64_t rows = found.c.golden(tensor_name).shape().at(1);
    const int64_t step = std::max<int64_t>(1, tensor.shape()[1] / std::max<int64_t>(1, rows));
    found.check(tensor_name, strided(tensor, step));
  }
}

void check_sizes(const Json& wanted, Findings& found) {
  for (const Json& row : wanted.value("resize", Json::array())) {
    const auto n = row.get<std::vector<int64_t>>();
    const auto size = image::shorter_side_size(n.at(1), n.at(0), n.at(2), n.size() > 5 ? n[5] : 0);
    found.expect(size == std::pair(n.at(4), n.at(3)), "resize " + row.dump());
  }
  for (const Json& row : wanted.value("center_crop", Json::array())) {
    const auto number = [&](std::string_view key) { return json_int(row, key, "center_crop"); };
    Pipeline pipeline;
    pipeline.resize = ResizeRule::none;
    pipeline.crop_height = number("crop_h");
    pipeline.crop_width = number("crop_w");
    const auto path = image::size_path(pipeline, number("h"), number("w"), "center_crop");
    found.expect(path.top == number("src_top") - number("dst_top") &&
                     path.left == number("src_left") - number("dst_left"),
                 "crop " + row.dump());
  }
}

using Check = void (*)(const std::string&, const Json&, Findings&);

Check check_for(const std::string& kind) {
  if (kind == "decode") return check_decoding;
  if (kind == "Image.resize") return check_resize;
  if (kind == "create_transform") return check_timm;
  if (kind.starts_with("hf image processors")) return check_huggingface;
  return nullptr;
}

}  // namespace

std::optional<Outcome> run_preprocess_case(const Case& c) {
  if (c.system != "preprocess") return std::nullopt;
  Findings found{c, {}, {}, 0};
  try {
    const Json wanted = expected(c);
    if (c.kind == "Resize/CenterCrop") {
      check_sizes(wanted, found);
      return found.outcome();
    }
    const Check check = check_for(c.kind);
    if (check == nullptr) return Outcome{Status::unsupported, c.kind};
    for (const auto& [name, entry] : wanted.items()) check(name, entry, found);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_supported) return Outcome{Status::unsupported, error.what()};
    return Outcome{Status::failed, error.what()};
  }
  return found.outcome();
}

}  // namespace saccade::parity
