// saccade profile: parameters, multiply-adds and bytes of every module, without running anything.

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "apps/cli/input_shape.h"
#include "apps/cli/output.h"
#include "apps/cli/plan_opener.h"
#include "apps/cli/plan_profile.h"
#include "apps/cli/verb.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/describe.h"

namespace saccade::cli {
namespace {

struct Options {
  std::string model;
  std::string config;
  std::string arch;
  std::string size;
  int64_t depth = 3;
  bool json = false;
};

/// Modules in a dotted path; a number belongs to the list in front of it: "layers.0.blocks.1.attn"
/// has three, the whole model none.
int64_t depth_of(const std::string& path) {
  int64_t depth = 0;
  for (size_t at = 0; at < path.size(); at = std::min(path.find('.', at), path.size()) + 1)
    depth += path[at] < '0' || path[at] > '9' ? 1 : 0;
  return depth;
}

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json report_of(Json head, const std::vector<ProfileRow>& rows, int64_t depth) {
  const auto& whole = rows.front();
  Json report = std::move(head);
  report.update({{"params", whole.cost.params},
                 {"macs", whole.cost.macs},
                 {"bytes", whole.bytes},
                 {"modules", Json::array()}});
  for (const auto& [cost, bytes] : rows) {
    if (depth_of(cost.path) > depth) continue;
    report["modules"].push_back({{"path", cost.path},
                                 {"params", cost.params},
                                 {"macs", cost.macs},
                                 {"bytes", bytes},
                                 {"share", share(cost.macs, whole.cost.macs)},
                                 {"formula", cost.formula}});
  }
  return report;
}

Json model_report(const Options& options) {
  constexpr int64_t kBytesOfParameter = 4;  // fp32
  const auto model = models::describe(options.model, options.config, options.arch);
  if (model.system.empty())
    throw usage_error(
        "{}: weights alone do not say which model they are of; add --arch or --config",
        options.model);
  std::vector<ProfileRow> rows;
  for (auto& cost : models::find_system(model.system).costs(model.config))
    rows.push_back({cost, cost.params * kBytesOfParameter});
  return report_of({{"name", model.name},
                    {"system", model.system},
                    {"precision", "fp32"},
                    {"input", input_shape(model.config, model.pipeline)}},
                   rows, options.depth);
}

Json plan_report(const Options& options) {
  const runtime::Model model(plan::open(options.model));
  const auto& info = model.info();
  const auto& graph = model.graph(size_of(model, options.size));
  return report_of({{"name", info.name},
                    {"system", info.provenance.value("system", Json())},
                    {"precision", info.precision},
                    {"input", one_picture(graph)}},
                   profile_graph(graph), options.depth);
}

/// Rows that `path` stands for: itself and everything below it, which follow each other.
size_t end_of_subtree(const Json& modules, size_t begin) {
  const auto inside = modules[begin]["path"].get<std::string>() + ".";
  size_t end = begin + 1;
  while (end < modules.size() && modules[end]["path"].get<std::string>().starts_with(inside)) ++end;
  return end;
}

/// "blocks.3" -> "blocks." and 3; nothing if the last name is no number.
std::optional<std::pair<std::string, int>> numbered(const std::string& path) {
  const auto start = path.find_last_not_of("0123456789") + 1;
  if (start == 0 || start == path.size() || path[start - 1] != '.' || path.size() - start > 6)
    return std::nullopt;
  return std::pair(path.substr(0, start), std::stoi(path.substr(start)));
}

/// True if two subtrees of equal length differ only in the path of their root.
bool same_subtree(const Json& modules, size_t a, size_t b, size_t count) {
  const auto root_a = modules[a]["path"].get<std::string>().size();
  const auto root_b = modules[b]["path"].get<std::string>().size();
  for (size_t i = 0; i < count; ++i) {
    Json left = modules[a + i], right = modules[b + i];
    left["path"] = left["path"].get<std::string>().substr(root_a);
    right["path"] = right["path"].get<std::string>().substr(root_b);
    if (left != right) return false;
  }
  return true;
}

/// Where the run of equal numbered siblings that starts at `begin` ends: blocks.0, blocks.1, ...
size_t end_of_run(const Json& modules, size_t begin) {
  const auto first = numbered(modules[begin]["path"].get<std::string>());
  size_t end = end_of_subtree(modules, begin);
  if (!first) return end;
  const size_t count = end - begin;
  for (int next = first->second + 1; end < modules.size(); ++next) {
    const auto path = modules[end]["path"].get<std::string>();
    if (numbered(path) != std::pair(first->first, next)) break;
    if (end_of_subtree(modules, end) - end != count) break;
    if (!same_subtree(modules, begin, end, count)) break;
    end += count;
  }
  return end;
}

/// The modules from `begin` to `end`; equal numbered siblings take the rows of one.
void add_rows(Table& table, const Json& modules, size_t begin, size_t end, int64_t times) {
  while (begin < end) {
    const auto& module = modules[begin];
    const auto path = module["path"].get<std::string>();
    const size_t own_end = end_of_subtree(modules, begin), run_end = end_of_run(modules, begin);
    const auto count = static_cast<int64_t>((run_end - begin) / (own_end - begin));
    const auto last = count == 1 ? "" : fmt::format("-{}", numbered(path)->second + count - 1);
    table.add({fmt::format("  {}{}", path, last),
               times * count == 1 ? "" : fmt::format("{}", times * count),
               fmt::format("{}", module["params"].get<int64_t>()),
               bytes_text(module["bytes"].get<double>()),
               fmt::format("{:.4f}", module["macs"].get<double>() / 1e9),
               fmt::format("{:.1f} %", 100 * module["share"].get<double>()),
               module["formula"].get<std::string>()});
    add_rows(table, modules, begin + 1, own_end, times * count);
    begin = run_end;
  }
}

void print_report(const Json& report) {
  const auto& modules = report["modules"];
  const bool formulas = std::ranges::any_of(  // a plan has none
      modules, [](const Json& module) { return !module["formula"].get<std::string>().empty(); });
  Table table({{"module"},
               {"times", Align::right},
               {"params", Align::right},
               {"bytes", Align::right},
               {"GMACs", Align::right},
               {"share", Align::right},
               {formulas ? "closed form" : ""}});
  table.add({report["name"].get<std::string>(), "",
             fmt::format("{}", report["params"].get<int64_t>()),
             bytes_text(report["bytes"].get<double>()),
             fmt::format("{:.4f}", report["macs"].get<double>() / 1e9), "100.0 %", ""});
  add_rows(table, modules, 1, modules.size(), 1);
  fmt::print(
      "{}\nFor one picture, {} parameters. Equal modules stand in one row with the cost of "
      "each.\nMACs: multiply-adds of projections, convolutions and attention's two products.\n{}",
      table.text(), report["precision"].get<std::string>(),
      formulas ? "Closed forms: hw tokens of width C.\n" : "");
}

int run(const Options& options) {
  const bool plan = names_plan(options.model);
  if (!plan && !options.size.empty())
    throw usage_error("--size chooses a size of a plan; {} is none", options.model);
  const Json report = plan ? plan_report(options) : model_report(options);
  if (options.json)
    print_json(report);
  else
    print_report(report);
  return 0;
}

}  // namespace

Verb profile_verb() {
  return {
      "profile", "parameters, multiply-adds and bytes of every module",
      [](CLI::App& app, const Program&) -> Action {
        auto options = std::make_shared<Options>();
        app.add_option("model", options->model,
                       "Model name, configuration file, checkpoint, folder or plan")
            ->required()
            ->type_name("MODEL");
        app.add_option("--depth", options->depth,
                       "Deepest modules to list: 0 the model, 2 \"blocks.0.attn\"")
            ->check(CLI::Range(0, 64))
            ->type_name("N");
        add_checkpoint_options(app, options->config, options->arch);
        app.add_option("--size", options->size, "Which picture size of a plan")->type_name("HxW");
        app.add_flag("--json", options->json, "Print JSON");
        app.footer("Example:\n  saccade profile vit_base_patch16_224 --depth 4");
        return [options] { return run(*options); };
      }};
}

}  // namespace saccade::cli
