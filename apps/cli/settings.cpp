#include "apps/cli/settings.h"

#include <cstdlib>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "saccade/base/error.h"
#include "saccade/base/suggest.h"
#include "saccade/base/toml.h"

namespace saccade::cli {
namespace {

/// Options of every verb: their variables carry no verb name.
const std::set<std::string> kCommon{"threads", "log-level", "config-file"};

std::string variable(std::string_view verb_path, std::string_view option) {
  std::string name = "SACCADE_";
  if (!kCommon.contains(std::string(option))) name += fmt::format("{}_", verb_path);
  name += option;
  for (char& c : name)
    c = c == '-' || c == ' ' || c == '.' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

/// "classify", or "metric coco" for a subcommand.
std::string verb_path(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : verb_path(*app.get_parent()) + " " + app.get_name();
}

bool is_set(const std::string& variable_name) {
  const char* text = variable_name.empty() ? nullptr : std::getenv(variable_name.c_str());
  return text != nullptr && *text != '\0';
}

std::string from(const std::string& variable_name) {
  return fmt::format(" (from {})", variable_name);
}

bool is_switch(const CLI::Option& option) { return option.get_expected_max() == 0; }

bool is_switch_value(const std::string& text) {
  static const std::set<std::string> kTexts{"true", "false", "yes", "no", "on", "off", "1", "0"};
  return kTexts.contains(text);
}

/// Reads the file for CLI11, which takes the values of options that the command line lacks.
class SettingsFile : public CLI::Config {
 public:
  SettingsFile(const CLI::App& app, std::vector<std::string> verb_names)
      : app_(app), verb_names_(std::move(verb_names)) {}

  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return ""; }

  std::vector<CLI::ConfigItem> from_config(std::istream&) const override {
    if (app_.get_help_ptr()->count() > 0) return {};
    const auto file = app_.get_config_ptr()->as<std::string>();
    const Json settings = read_toml(file);
    std::vector<CLI::ConfigItem> found;
    if (settings.contains(app_.get_name()))
      collect(settings[app_.get_name()], app_, {}, file, found);
    Json rest = Json::object();
    for (const auto& [key, value] : settings.items())
      if (!is_verb(key)) rest[key] = value;
    collect(rest, app_, {}, file, found);
    return found;
  }

 private:
  bool is_verb(const std::string& key) const {
    return std::find(verb_names_.begin(), verb_names_.end(), key) != verb_names_.end();
  }

  void collect(const Json& table, const CLI::App& app, const std::vector<std::string>& parents,
               const std::string& file, std::vector<CLI::ConfigItem>& found) const {
    if (!table.is_object()) throw input_error(file, "{} must be a table", app.get_name());
    for (const auto& item : table.items()) {
      const std::string& key = item.key();
      const Json& value = item.value();
      const auto subs = app.get_subcommands([&](auto* sub) { return sub->get_name() == key; });
      if (!subs.empty()) {
        auto path = parents;
        path.push_back(key);
        collect(value, *subs.front(), path, file, found);
        continue;
      }
      const auto* option = app.get_option_no_throw("--" + key);
      if (option == nullptr || !option->get_configurable()) throw unknown_key(key, app, file);
      // CLI11 asks the environment after the file: what it sets is left out here.
      if (is_set(environment_name(app, *option))) continue;
      auto given = inputs(value, key, file);
      if (is_switch(*option) && (given.size() != 1 || !is_switch_value(given.front())))
        throw input_error(file, "{} must be true or false", key);
      found.push_back({parents, key, std::move(given)});
    }
  }

  static std::vector<std::string> inputs(const Json& value, const std::string& key,
                                         const std::string& file) {
    if (value.is_string()) return {value.get<std::string>()};
    if (value.is_number() || value.is_boolean()) return {value.dump()};
    if (!value.is_array()) throw input_error(file, "{} must be a value or a list of values", key);
    std::vector<std::string> list;
    for (const auto& item : value) {
      if (item.is_structured()) throw input_error(file, "{} must be a flat list of values", key);
      list.push_back(item.is_string() ? item.get<std::string>() : item.dump());
    }
    return list;
  }

  Error unknown_key(const std::string& key, const CLI::App& app, const std::string& file) const {
    std::vector<std::string> known;
    for (const auto* option : app.get_options())
      if (option->get_configurable())
        for (const auto& name : option->get_lnames()) known.push_back(name);
    for (const auto& name : verb_names_)
      if (app.get_parent() == nullptr) known.push_back(name);
    return input_error(file, "unknown key \"{}\" for {}{}", key, verb_path(app),
                       did_you_mean(key, known));
  }

  const CLI::App& app_;
  std::vector<std::string> verb_names_;
};

void add_variables(CLI::App& app) {
  for (auto* option : app.get_options())
    if (option->get_configurable()) option->envname(environment_name(app, *option));
  for (auto* sub : app.get_subcommands({})) add_variables(*sub);
}

}  // namespace

std::string environment_name(const CLI::App& app, const CLI::Option& option) {
  if (option.get_lnames().empty()) return "";
  return variable(verb_path(app), option.get_lnames().front());
}

void check_switches(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto check = [](const std::string& name, const std::string& value,
                        const std::string& origin) {
    if (!is_switch_value(value))
      throw usage_error("--{} takes true or false, not \"{}\"{}", name, value, origin);
  };
  for (const auto* option : app.get_options()) {
    if (!is_switch(*option) || option->get_lnames().empty()) continue;
    for (const auto& name : option->get_lnames())
      for (const auto& argument : arguments)
        if (argument.starts_with("--" + name + "="))
          check(name, argument.substr(name.size() + 3), "");
    const auto name = environment_name(app, *option);
    if (option->get_configurable() && is_set(name))
      check(option->get_lnames().front(), std::getenv(name.c_str()), from(name));
  }
  for (const auto* sub : app.get_subcommands({})) check_switches(*sub, arguments);
}

std::string value_origin(const CLI::App& app, const CLI::Option& option) {
  const auto name = environment_name(app, option);
  const auto& results = option.results();
  if (is_set(name) && results.size() == 1 && results.front() == std::getenv(name.c_str()))
    return from(name);
  return "";
}

void add_settings(CLI::App& app, std::vector<std::string> verb_names) {
  if (app.get_help_ptr() != nullptr) app.get_help_ptr()->configurable(false);
  for (auto* sub : app.get_subcommands({}))
    if (sub->get_help_ptr() != nullptr) sub->get_help_ptr()->configurable(false);
  app.config_formatter(std::make_shared<SettingsFile>(app, std::move(verb_names)));
  auto* file = app.set_config("--config-file", "", "Options from a TOML file");
  file->type_name("FILE")->configurable(false)->group("");
  const std::string variable_name = environment_name(app, *file);
  if (is_set(variable_name)) {
    const std::string path = std::getenv(variable_name.c_str());
    if (std::error_code error; !std::filesystem::is_regular_file(path, error))
      throw input_error(path, "the configuration file that {} names cannot be read", variable_name);
    file->default_str(path);
  }
  add_variables(app);
}

}  // namespace saccade::cli
