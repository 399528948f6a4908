// saccade models: the presets of the zoo.

#include <fmt/format.h>

#include "apps/cli/input_shape.h"
#include "apps/cli/output.h"
#include "apps/cli/verb.h"
#include "saccade/base/suggest.h"
#include "saccade/models/catalogue.h"

namespace saccade::cli {
namespace {

struct Options {
  std::string name;
  std::string system;
  bool json = false;
  bool markdown = false;
};

/// The whole model's parameters and multiply-adds: the first row of its costs.
models::ModuleCost total(const models::System& system, const models::Preset& preset) {
  return system.costs(preset.config).front();
}

Json row(const models::System& system, const models::Preset& preset) {
  const auto cost = total(system, preset);
  return {{"name", preset.name},
          {"system", preset.system},
          {"params", cost.params},
          {"macs", cost.macs},
          {"input", input_shape(preset.config, preset.pipeline)},
          {"aliases", preset.aliases}};
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

/// One alias stands for all: `models NAME` lists them.
std::string abridged(const std::vector<std::string>& names) {
  if (names.size() < 2) return joined(names);
  return fmt::format("{} and {} more", names.front(), names.size() - 1);
}

/// The rows of every preset, or of one system's.
Json rows_of(const std::string& only) {
  if (!only.empty()) (void)models::find_system(only);
  Json rows = Json::array();
  for (const auto& system : models::systems())
    if (only.empty() || system.name == only)
      for (const auto& preset : system.presets) rows.push_back(row(system, preset));
  return rows;
}

void print_table(const Json& rows) {
  Table table({{"name"},
               {"params", Align::right},
               {"MACs", Align::right},
               {"input", Align::right},
               {"also known as"}});
  for (const auto& row : rows)
    table.add({row["name"].get<std::string>(), with_unit(row["params"].get<double>()),
               with_unit(row["macs"].get<double>()), input_text(row["input"]),
               abridged(row["aliases"].get<std::vector<std::string>>())});
  fmt::print("{}", table.text());
}

/// 86567656 -> "86,567,656".
std::string grouped(int64_t number) {
  auto digits = std::to_string(number);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

/// The table of docs/zoo/README.md.
void print_markdown(const Json& rows) {
  fmt::print("| preset | system | parameters | multiply-adds | input |\n|---|---|--:|--:|---|\n");
  for (const auto& row : rows)
    fmt::print("| `{}` | {} | {} | {} | {} |\n", row["name"].get<std::string>(),
               row["system"].get<std::string>(), grouped(row["params"].get<int64_t>()),
               with_unit(row["macs"].get<double>()), input_text(row["input"]));
}

int list_presets(const Options& options) {
  const auto rows = rows_of(options.system);
  if (options.json)
    print_json(rows);
  else if (options.markdown)
    print_markdown(rows);
  else
    print_table(rows);
  return 0;
}

int show_preset(const Options& options) {
  if (options.markdown) throw usage_error("--markdown prints the list, not one model");
  const auto* preset = models::find_preset(options.name);
  if (preset == nullptr)
    throw usage_error("unknown model \"{}\"{} (`saccade models` lists them)", options.name,
                      did_you_mean(options.name, models::preset_names()));
  const auto& system = models::find_system(preset->system);
  Json report = row(system, *preset);
  report["pipeline"] = to_json(preset->pipeline);
  report["config"] = preset->config;
  if (options.json) {
    print_json(report);
    return 0;
  }
  Table table({{""}, {""}});
  table.add({"name", preset->name});
  table.add({"system", fmt::format("{}: {}", system.name, system.summary)});
  table.add({"also known as", joined(preset->aliases)});
  table.add({"parameters", fmt::format("{} ({})", report["params"].get<int64_t>(),
                                       with_unit(report["params"].get<double>()))});
  table.add({"multiply-adds", with_unit(report["macs"].get<double>())});
  table.add({"input", input_text(report["input"])});
  for (const auto* part : {"pipeline", "config"}) {
    table.add({"", ""});
    table.add({part, ""});
    for (const auto& [key, value] : report[part].items())
      table.add({"  " + key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  fmt::print("{}", table.text());
  return 0;
}

}  // namespace

Verb models_verb() {
  return {"models", "the models Saccade knows, or one of them in full",
          [](CLI::App& app, const Program&) -> Action {
            auto options = std::make_shared<Options>();
            app.add_option("name", options->name, "One model, by its name or an alias")
                ->type_name("NAME");
            app.add_option("--system", options->system, "Only the models of one system")
                ->type_name("NAME");
            auto* json = app.add_flag("--json", options->json, "Print JSON");
            app.add_flag("--markdown", options->markdown, "Print the list as a Markdown table")
                ->excludes(json);
            app.footer(
                "Example:\n  saccade models --system vit\n  saccade models vit_base_patch16_224");
            return [options] {
              return options->name.empty() ? list_presets(*options) : show_preset(*options);
            };
          }};
}

}  // namespace saccade::cli
