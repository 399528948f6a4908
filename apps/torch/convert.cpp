// saccade convert: another container, another naming convention, another size of picture.

#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "apps/cli/picture_size.h"
#include "apps/torch/hub_folder.h"
#include "apps/torch/verbs.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/writer.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/config.h"
#include "saccade/models/load.h"
#include "saccade/models/open.h"
#include "saccade/models/registry.h"
#include "saccade/nn/host.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string in, out;
  std::string config, arch;
  std::string dialect = "official";
  std::string dtype = "F32";
  std::string wrap;
  std::string img_size, window_size;
  std::string resize;
};

/// The configuration with the sizes that are asked for.
Json resized_config(const models::Description& about, const Options& options) {
  const auto& system = models::find_system(about.system);
  Json config = about.config;
  if (!options.window_size.empty() && !config.contains("window_size"))
    throw usage_error("--window-size is for models with windows; {} has none", about.system);
  if (!options.img_size.empty()) config["img_size"] = parse_size("--img-size", options.img_size);
  if (!options.window_size.empty())
    config["window_size"] = parse_size("--window-size", options.window_size);
  if (system.inherit) system.inherit(about.config, config);
  return system.complete(config, options.img_size.empty() ? "--window-size" : "--img-size");
}

/// The same weights for another picture or window size.
void resize_model(models::Opened& opened, const Options& options) {
  auto& about = opened.about;
  about.config = resized_config(about, options);
  models::refit(opened, options.resize);
  if (options.img_size.empty()) return;
  const auto size = parse_size("--img-size", options.img_size);
  about.pipeline.crop_height = size[0], about.pipeline.crop_width = size[1];
  about.pipeline.resize_height = std::max(about.pipeline.resize_height, size[0]);
  about.pipeline.resize_width = std::max(about.pipeline.resize_width, size[1]);
}

/// Floating tensors in the wanted type; counters stay as they are.
NamedTensors cast_state(NamedTensors state, DType dtype) {
  for (auto& [name, tensor] : state)
    if (tensor.dtype() == DType::F32) tensor = cast(tensor, dtype);
  return state;
}

NamedTensors in_dialect(const models::Opened& opened, const std::string& dialect,
                        NamedTensors state) {
  const auto& system = models::find_system(opened.about.system);
  const auto dialects = system.dialects(opened.about.config);
  const auto named = [&](const std::string& name) {
    return std::ranges::find(dialects, name, &checkpoint::Dialect::name);
  };
  if (const auto it = named(dialect); it != dialects.end())
    return checkpoint::from_official(*it, with_derived(std::move(state), *opened.model, *it));
  // Without an entry of its own, "official" is what timm has too.
  const bool timm_is_official = !dialects.empty() && named("official") == dialects.end();
  if (dialect == "official" || (dialect == "timm" && timm_is_official)) return state;
  std::set<std::string> known{"official"};
  for (const auto& other : dialects) known.insert(other.name);
  throw unsupported_error(
      "{}: a {} of this configuration cannot be written in the \"{}\" convention (known: {})",
      opened.about.name, system.name, dialect, fmt::join(known, ", "));
}

checkpoint::Metadata metadata_of(const models::Description& about) {
  checkpoint::Metadata metadata;
  const Json config = {{"system", about.system}, {"config", about.config}};
  metadata[models::kConfigKey] = config.dump();
  metadata[models::kPipelineKey] = to_json(about.pipeline).dump();
  if (!about.labels.empty()) metadata[models::kLabelsKey] = Json(about.labels).dump();
  metadata["format"] = "pt";  // what other readers of safetensors look for
  return metadata;
}

enum class Container { safetensors, pth, npz, hub_folder };

Container container_of(const fs::path& out) {
  const auto extension = out.extension().string();
  if (extension.empty() || fs::is_directory(out)) return Container::hub_folder;
  if (extension == ".safetensors") return Container::safetensors;
  if (extension == ".npz") return Container::npz;
  if (extension == ".pth" || extension == ".pt" || extension == ".bin") return Container::pth;
  throw usage_error(
      "{}: the extension must be .safetensors, .pth, .pt, .bin or .npz, or none for a folder",
      out.string());
}

void write(const fs::path& out, const NamedTensors& state, const models::Description& about,
           const std::string& wrap) {
  switch (container_of(out)) {
    case Container::safetensors:
      return checkpoint::write_safetensors(out, state, metadata_of(about));
    case Container::pth: return checkpoint::write_pth(out, state, wrap);
    case Container::npz: return checkpoint::write_npz(out, state);
    case Container::hub_folder: return write_hub_folder(out, state, about, metadata_of(about));
  }
}

int run(const Options& options) {
  const auto container = container_of(options.out);
  if (container != Container::pth && !options.wrap.empty())
    throw usage_error("--wrap is for .pth files; the other formats have no containers");
  if (container == Container::hub_folder && options.dialect != "huggingface")
    throw usage_error(
        "{}: a folder has Hugging Face's names: add --dialect huggingface, or name a file",
        options.out);
  const auto dtype = parse_dtype(options.dtype);
  if (dtype != DType::F32 && dtype != DType::BF16 && dtype != DType::F16)
    throw usage_error("--dtype takes F32, BF16 or F16, not \"{}\"", options.dtype);

  auto opened = models::open(options.in, {.config = options.config, .arch = options.arch});
  if (!options.img_size.empty() || !options.window_size.empty()) resize_model(opened, options);
  const auto state =
      in_dialect(opened, options.dialect, cast_state(nn::state_dict(*opened.model), *dtype));
  write(options.out, state, opened.about, options.wrap);
  fmt::print("{}: {} tensors of {} ({} names) from {} ({} names)\n", options.out, state.size(),
             opened.about.system, options.dialect, options.in, opened.dialect);
  return 0;
}

}  // namespace

Verb convert_verb() {
  return {"convert", "write a checkpoint in another container or naming convention",
          [](CLI::App& app, const Program&) -> Action {
            auto o = std::make_shared<Options>();
            app.add_option("IN", o->in, "checkpoint file or folder")->required();
            app.add_option("OUT", o->out, ".safetensors, .pth, .pt, .bin or .npz, or a folder")
                ->required();
            add_checkpoint_options(app, o->config, o->arch);
            app.add_option("--dialect", o->dialect, "names to write")
                ->check(CLI::IsMember({"official", "timm", "huggingface", "jax-npz"}));
            app.add_option("--dtype", o->dtype, "storage: F32, BF16 or F16");
            app.add_option("--wrap", o->wrap, "key to put a .pth state dict under (\"model\")");
            app.add_option("--img-size", o->img_size, "fit positions to a picture: N or HxW");
            app.add_option("--window-size", o->window_size, "fit tables to windows of N tokens");
            app.add_option("--resize", o->resize,
                           "whose rule fits them; default the reference's of the system")
                ->check(CLI::IsMember({"official", "timm", "deit"}));
            app.footer("Example:\n  saccade convert deit_tiny.pth deit_tiny.safetensors");
            return [o] { return run(*o); };
          }};
}

}  // namespace saccade::cli
