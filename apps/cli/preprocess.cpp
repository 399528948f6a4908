// saccade preprocess: the exact tensor that a model sees.

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/cli/checks.h"
#include "apps/cli/output.h"
#include "apps/cli/pipeline_source.h"
#include "apps/cli/verb.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/writer.h"
#include "saccade/image/preprocess.h"
#include "saccade/models/describe.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> pictures;
  ModelArgs model;
  std::string pipeline;
  std::string output;
  std::string exif = "auto";
  int64_t max_pixels = image::DecodeOptions{}.max_pixels;
  bool json = false;
};

/// Folders are replaced by the pictures in them, in byte order of their paths.
std::vector<fs::path> listed(const std::vector<std::string>& given) {
  std::vector<fs::path> files;
  for (const fs::path path : given) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.is_regular_file() && image::looks_like_image(FileMap::open(entry.path())->bytes()))
        inside.push_back(entry.path());
    if (inside.empty()) throw usage_error("{}: there is no JPEG or PNG in it", path.string());
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

struct Statistics {
  std::array<double, 3> mean{}, deviation{}, lowest{}, highest{};
};

Statistics measure(const HostTensor& tensor) {
  const auto values = tensor.as<float>();
  const size_t count = values.size() / 3;
  Statistics s;
  for (size_t c = 0; c < 3; ++c) {
    const auto channel = values.subspan(c * count, count);
    double sum = 0, squares = 0;
    for (const double v : channel) sum += v, squares += v * v;
    const auto n = static_cast<double>(count);
    s.mean[c] = sum / n;
    s.deviation[c] = std::sqrt(std::max(0.0, squares / n - s.mean[c] * s.mean[c]));
    const auto [low, high] = std::ranges::minmax_element(channel);
    s.lowest[c] = *low;
    s.highest[c] = *high;
  }
  return s;
}

struct Result {
  fs::path file;
  image::Preprocessed picture;
};

Json report(const Result& result) {
  const auto& p = result.picture;
  const Statistics s = measure(p.tensor);
  return {{"file", result.file.string()},
          {"size", {p.height, p.width}},
          {"resized", p.path.resized},
          {"crop_at", {p.path.top, p.path.left}},
          {"shape", p.tensor.shape()},
          {"mean", s.mean},
          {"std", s.deviation},
          {"min", s.lowest},
          {"max", s.highest}};
}

void print_report(const Result& result, const Pipeline& pipeline) {
  const auto& p = result.picture;
  const auto [height, width] = p.path.resized;
  fmt::print("{}: {} x {} -> {} x {} ({}) -> [3, {}, {}]\n", result.file.string(), p.width,
             p.height, width, height, name(pipeline.interpolation), p.tensor.shape()[1],
             p.tensor.shape()[2]);
  const Statistics s = measure(p.tensor);
  Table table({{"channel"},
               {"mean", Align::right},
               {"std", Align::right},
               {"min", Align::right},
               {"max", Align::right}});
  const auto number = [](double v) { return fmt::format("{:.4f}", v); };
  for (size_t c = 0; c < 3; ++c)
    table.add({std::string(1, "RGB"[c]), number(s.mean[c]), number(s.deviation[c]),
               number(s.lowest[c]), number(s.highest[c])});
  fmt::print("{}", table.text());
}

/// [N, 3, H, W] of pictures of one size.
HostTensor stacked(const std::vector<Result>& results) {
  const Shape& one = results.front().picture.tensor.shape();
  HostTensor batch(DType::F32, {static_cast<int64_t>(results.size()), one[0], one[1], one[2]});
  auto to = batch.fill<float>().begin();
  for (const auto& [file, picture] : results) {
    if (picture.tensor.shape() != one)
      throw usage_error("{} becomes {}, {} becomes {}: one file holds pictures of one size",
                        results.front().file.string(), to_string(one), file.string(),
                        to_string(picture.tensor.shape()));
    to = std::ranges::copy(picture.tensor.as<float>(), to).out;
  }
  return batch;
}

int run(const Options& options) {
  Pipeline pipeline = find_pipeline(options.model, options.pipeline);
  if (options.exif != "auto") pipeline.apply_exif_orientation = options.exif == "yes";
  std::vector<Result> results;
  Json reports = Json::array();
  for (const auto& file : listed(options.pictures)) {
    const auto map = FileMap::open(file);
    const Result result{file, image::decode_and_preprocess(map->bytes(), pipeline,
                                                           options.max_pixels, file.string())};
    if (options.json)
      reports.push_back(report(result));
    else
      print_report(result, pipeline);
    if (!options.output.empty()) results.push_back(result);
  }
  if (!options.output.empty())
    checkpoint::write_safetensors(options.output, {{"images", stacked(results)}},
                                  {{models::kPipelineKey, to_json(pipeline).dump()}});
  if (options.json) print_json({{"pipeline", to_json(pipeline)}, {"pictures", reports}});
  return 0;
}

}  // namespace

Verb preprocess_verb() {
  return {"preprocess", "the exact tensor that a model sees of a picture",
          [](CLI::App& app, const Program&) -> Action {
            auto o = std::make_shared<Options>();
            app.add_option("pictures", o->pictures, "JPEG or PNG files, or folders of them")
                ->required()
                ->type_name("PICTURE");
            add_model_options(app, o->model);
            app.add_option("--pipeline", o->pipeline,
                           "preprocessor_config.json, timm config or Saccade's own form")
                ->type_name("FILE");
            app.add_option("-o,--output", o->output,
                           "Write `images` [N, 3, H, W] float32 as safetensors")
                ->type_name("FILE");
            app.add_option("--exif", o->exif,
                           "Turn pictures as their EXIF orientation says (auto: as the pipeline)")
                ->check(CLI::IsMember({"auto", "yes", "no"}))
                ->type_name("WHEN");
            app.add_option("--max-pixels", o->max_pixels, "Refuse larger pictures")
                ->check(above_zero())
                ->capture_default_str()
                ->type_name("N");
            app.add_flag("--json", o->json, "Print JSON");
            app.footer(
                "Example:\n"
                "  saccade preprocess cat.jpg -m vit_base_patch16_224 -o cat.safetensors\n"
                "Several pictures become one batch, so the pipeline must bring them to one size.");
            return [o] { return run(*o); };
          }};
}

}  // namespace saccade::cli
