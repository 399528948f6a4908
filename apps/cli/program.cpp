#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <new>
#include <system_error>
#include <utility>

#include "apps/cli/build.h"
#include "apps/cli/checks.h"
#include "apps/cli/hand_over.h"
#include "apps/cli/help.h"
#include "apps/cli/interrupt.h"
#include "apps/cli/plan_opener.h"
#include "apps/cli/settings.h"
#include "apps/cli/verb.h"
#include "saccade/base/error.h"
#include "saccade/base/log.h"
#include "saccade/base/suggest.h"
#include "saccade/base/thread_pool.h"
#include "saccade/base/utf8.h"

namespace saccade::cli {
namespace {

constexpr int kInternalBug = 70;  // EX_SOFTWARE of sysexits.h: not one of the user's exit codes
constexpr const char* kName = "saccade";

std::vector<std::string> names_of(std::span<const Verb> verbs) {
  std::vector<std::string> names;
  for (const auto& verb : verbs) names.emplace_back(verb.name);
  return names;
}

const Verb& find_verb(std::string_view name, std::span<const Verb> verbs) {
  for (const auto& verb : verbs)
    if (verb.name == name) return verb;
  if (name.starts_with("-"))
    throw usage_error("unknown option \"{}\"; the verb comes first, its options follow", name);
  auto names = names_of(verbs);
  throw usage_error("unknown verb \"{}\"{}", name, did_you_mean(name, names));
}

/// Options of every verb that has none of the same name.
struct CommonOptions {
  int threads = 0;
  std::string log_level{name(LogLevel::info)};

  void add(CLI::App& app) {
    if (app.get_option_no_throw("--threads") == nullptr)
      app.add_option("--threads", threads, "Threads to use (default: all cores)")
          ->check(whole_number("--threads", 1, 256))
          ->group("");
    app.add_option("--log-level", log_level, "debug, info, warning, error or off")->group("");
  }
  void apply() const {
    if (threads > 0) set_thread_count(threads);
    const auto level = parse_log_level(log_level);
    if (!level) throw usage_error("--log-level is debug, info, warning, error or off");
    set_log_level(*level);
  }
};

/// The first argument that nothing took, as an error that names what is near.
Error unknown_argument(const CLI::App& app, const std::string& argument) {
  if (!argument.starts_with("-") || argument == "-")
    return usage_error("unexpected argument \"{}\"", argument);
  const auto given = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  const auto collect = [&](const CLI::App& from) {
    for (const auto* option : from.get_options())
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  };
  collect(app);
  for (const auto* sub : app.get_subcommands()) collect(*sub);
  return usage_error("unknown option \"{}\"{}", given, did_you_mean(given, known));
}

/// Options whose value CLI11's message is about, with where it came from.
std::string origin_of(const CLI::App& app, const std::string& message) {
  for (const auto* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    if (message.find("--" + option->get_lnames().front()) == message.npos) continue;
    if (auto origin = value_origin(app, *option); !origin.empty()) return origin;
  }
  for (const auto* sub : app.get_subcommands())
    if (auto origin = origin_of(*sub, message); !origin.empty()) return origin;
  return "";
}

/// Fills the options from the command line, the environment and the settings file. False if help
/// was asked for and given.
bool parse(CLI::App& app, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::vector<std::string>(arguments));
    return true;
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help(kName));
    return false;
  } catch (const CLI::FileError&) {
    throw input_error(app.get_config_ptr()->as<std::string>(),
                      "the configuration file cannot be read");
  } catch (const CLI::ParseError& error) {
    // A misspelt option often leaves another one missing: it is the better message.
    if (const auto rest = app.remaining(true); !rest.empty() && !app.get_prefix_command())
      throw unknown_argument(app, rest.front());
    std::string message = error.what();
    message.erase(message.find_last_not_of('\n') + 1);
    if (message.starts_with(": ")) message.erase(0, 2);  // an option that help hides has no name
    throw usage_error("{}{}", message, origin_of(app, message));
  } catch (const std::logic_error&) {  // what CLI11 throws at the text of a switch
    check_switches(app, arguments);
    throw;
  }
}

int run_verb(const Program& program, const Verb& verb, std::span<const Verb> verbs) {
  CLI::App app(std::string(verb.summary), std::string(verb.name));
  app.formatter(std::make_shared<HelpFormatter>());
  app.option_defaults()->always_capture_default();
  const Action action = verb.add(app, program);
  CommonOptions common;
  if (!app.get_prefix_command()) {
    for (auto* sub : app.get_subcommands({})) sub->fallthrough();
    common.add(app);
    add_settings(app, names_of(verbs));
  }
  if (!parse(app, {program.argv + 2, program.argv + program.argc})) return 0;
  common.apply();
  return action();
}

int run(const Program& program, std::span<const Verb> verbs) {
  const std::string_view first = program.argc > 1 ? program.argv[1] : "";
  if (first.empty()) throw usage_error("no verb given; `{} --help` lists them", kName);
  if (first == "--help" || first == "-h" || (first == "help" && program.argc == 2)) {
    fmt::print("{}", program_help(verbs));
    return 0;
  }
  if (first == "--version") {
    fmt::print("{} {}{}\n", program.name, version(),
               program.libraries.empty() ? "" : fmt::format(" ({})", program.libraries));
    return 0;
  }
  return run_verb(program, find_verb(first, verbs), verbs);
}

/// Results that never reached their reader are no results.
void flush_results() {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout)
    throw resource_error("the results could not be written to standard output: {}",
                         errno == 0 ? "output error" : std::generic_category().message(errno));
}

/// "saccade classify", or "saccade" if there was no such verb.
std::string help_command(const Program& program, std::span<const Verb> verbs) {
  for (const auto& verb : verbs)
    if (program.argc > 1 && verb.name == program.argv[1])
      return fmt::format("{} {}", kName, verb.name);
  return kName;
}

/// The first line; what follows in exceptions of libtorch is where it was thrown.
void report_unexpected(const std::exception& exception) {
  const std::string_view text = exception.what();
  fmt::print(stderr, "{}: unexpected error: {}; please report it\n", kName,
             text.substr(0, text.find('\n')));
  log_debug("{}", text);
}

/// Prints what went wrong, one line (and a hint for wrong usage); the exit code.
int report(const Program& program, std::span<const Verb> verbs, const std::exception& exception) {
  const auto say = [&](std::string_view text) {  // may hold names from files, and several lines
    for (auto prefix = fmt::format("{}: ", kName); !prefix.empty() || !text.empty();) {
      const auto line = text.substr(0, text.find('\n'));
      fmt::print(stderr, "{}{}\n", std::exchange(prefix, {}), printable(line));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
  };
  if (const auto* error = dynamic_cast<const Error*>(&exception)) {
    say(error->what());
    if (error->kind() == ErrorKind::usage)
      fmt::print(stderr, "hint: {} --help\n", help_command(program, verbs));
    return exit_code(error->kind());
  }
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr ||
      dynamic_cast<const std::length_error*>(&exception) != nullptr) {
    say("out of memory; close other programs, or use a smaller model, picture or batch");
    return exit_code(ErrorKind::resources);
  }
  if (const auto* error = dynamic_cast<const std::system_error*>(&exception)) {
    if (error->code() == std::errc::broken_pipe) return 0;
    say(error->what());
    return exit_code(ErrorKind::resources);
  }
  if (dynamic_cast<const InternalError*>(&exception) != nullptr)
    say(exception.what());
  else
    report_unexpected(exception);
  return kInternalBug;
}

}  // namespace

int run_program(const Program& program, std::span<const Verb> verbs) {
  try {
    install_signal_handlers();
    note_hand_over(program);
    set_log_callback(stderr_log());
    const int code = run(program, verbs);
    flush_results();
    return code;
  } catch (const std::exception& exception) {
    if (program.explain)
      if (const auto error = program.explain(exception)) return report(program, verbs, *error);
    return report(program, verbs, exception);
  }
}

void add_model_options(CLI::App& app, ModelArgs& args) {
  app.add_option("-m,--model", args.model, "Model name, checkpoint file or folder")
      ->type_name("MODEL");
  add_checkpoint_options(app, args.config, args.arch);
  add_map_option(app, args);
  add_size_option(app, args);
}

void add_size_option(CLI::App& app, ModelArgs& args) {
  app.add_option("--size", args.size, "Size of the pictures that the model sees, of those it has")
      ->type_name("HxW");
}

void add_checkpoint_options(CLI::App& app, std::string& config, std::string& arch) {
  app.add_option("--config", config, "Configuration of a bare checkpoint file")->type_name("FILE");
  app.add_option("--arch", arch, "Preset that a bare checkpoint file belongs to")
      ->type_name("NAME");
}

void add_map_option(CLI::App& app, ModelArgs& args) {
  app.add_flag_function(
      "--mmap,!--no-mmap",
      [&args](int64_t given) {
        args.residence = given > 0 ? plan::Residence::mapped : plan::Residence::read;
      },
      "Use a plan in its file's map, or read it into memory");
}

void add_trace_options(CLI::App& app, ModelArgs& args) {
  app.add_option("--sizes", args.sizes,
                 "Picture sizes that share the plan's weights; the first is the default")
      ->delimiter(',')
      ->type_name("HxW");
  app.add_option("--taps", args.taps,
                 "Intermediate results that become outputs; \"list\" prints their names")
      ->delimiter(',')
      ->type_name("NAME");
}

OpenedModel open_model(const Program& program, const ModelArgs& args) {
  ModelArgs resolved = args;
  if (resolved.model.empty()) {
    const auto bundled = default_model();
    if (!bundled)
      throw usage_error(
          "no model given, and the bundled one (assets/{}) is not installed; "
          "name one with -m",
          kDefaultModel);
    resolved.model = bundled->string();
  }
  if (names_plan(resolved.model)) return open_plan(resolved);
  if (!program.open_model) hand_over(program, fmt::format("the model {}", resolved.model));
  return program.open_model(resolved);
}

Verb handed_over(std::string_view name, std::string_view summary) {
  return {name, summary, [name](CLI::App& app, const Program& program) -> Action {
            app.set_help_flag();
            app.prefix_command();
            return [name, &program]() -> int { hand_over(program, fmt::format("`{}`", name)); };
          }};
}

}  // namespace saccade::cli
