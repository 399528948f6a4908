#pragma once
// Options that are not on the command line: environment variables, then a configuration file.

#include <CLI/CLI.hpp>

namespace saccade::cli {

/// Adds --config-file (or SACCADE_CONFIG_FILE) to the application of one verb and gives every long
/// option of it and its subcommands an environment variable: SACCADE_<VERB>_<OPTION>, with dashes
/// as underscores. Command line before environment before file before default. Call after all other
/// options have been added.
///
/// The file is TOML: keys are option names without dashes; those outside a table and in the table
/// of the verb's name ([classify], [metric.coco]) count, the table wins, tables of other verbs
/// (`verb_names`) are skipped. Unknown keys are an Error (bad_input).
void add_settings(CLI::App& app, std::vector<std::string> verb_names);

/// The variable of one option, for instance "SACCADE_CLASSIFY_TOP_K"; "" for a positional.
[[nodiscard]] std::string environment_name(const CLI::App& app, const CLI::Option& option);

/// Switches may be given true or false, as --json=true or in their variables. Throws Error (usage)
/// where one was given something else: CLI11 does not say which.
void check_switches(const CLI::App& app, const std::vector<std::string>& arguments);

/// Where the value of the option came from, for error messages: " (from SACCADE_EVAL_DATA)",
/// " (from run.toml)" or "".
[[nodiscard]] std::string value_origin(const CLI::App& app, const CLI::Option& option);

}  // namespace saccade::cli
