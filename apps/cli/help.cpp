#include "apps/cli/help.h"

#include <algorithm>
#include <sstream>

#include "apps/cli/output.h"

namespace saccade::cli {
namespace {

constexpr size_t kLeftColumn = 26;
constexpr size_t kScreen = 100;

/// "N:INT in [0 - 64]" -> "N"; "WHEN:{auto,yes,no}" -> "auto|yes|no".
std::string type_of(const CLI::Option& option) {
  auto type = option.get_type_name();
  const auto open = type.find('{'), close = type.find('}');
  if (open == type.npos || close == type.npos) return type.substr(0, type.find(':'));
  type = type.substr(open + 1, close - open - 1);
  std::replace(type.begin(), type.end(), ',', '|');
  return type;
}

/// "--mmap,--no-mmap{false}" -> "--[no-]mmap".
std::string with_its_negation(const std::string& names) {
  const auto comma = names.find(",--no-");
  if (comma == names.npos || !names.ends_with("{false}")) return names;
  return "--[no-]" + names.substr(2, comma - 2);
}

/// The words of `text` behind the left column, in lines of the screen's width.
std::string wrapped(const std::string& text) {
  std::istringstream words(text);
  std::string out;
  size_t column = kLeftColumn;
  for (std::string word; words >> word; column += word.size()) {
    if (column > kLeftColumn && column + 1 + word.size() > kScreen) {
      out += "\n" + std::string(kLeftColumn, ' ');
      column = kLeftColumn;
    } else if (column > kLeftColumn) {
      out += ' ';
      ++column;
    }
    out += word;
  }
  return out;
}

void trim_end(std::string& text) { text.erase(text.find_last_not_of("\n ") + 1); }

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kLeftColumn);
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  // The parts of the base class each begin and end with blank lines; keep one between blocks.
  const std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
  std::string tight;
  for (size_t i = 0; i < text.size(); ++i)
    if (!(text[i] == '\n' && (tight.empty() || tight.ends_with("\n\n")))) tight += text[i];
  trim_end(tight);
  return tight + "\n";
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string left =
      "  " + with_its_negation(make_option_name(option, is_positional)) + make_option_opts(option);
  // A long left part has a line of its own.
  left += left.size() + 1 < kLeftColumn ? std::string(kLeftColumn - left.size(), ' ')
                                        : "\n" + std::string(kLeftColumn, ' ');
  return left + wrapped(make_option_desc(option)) + "\n";
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  std::string text;
  if (option->get_type_size() != 0) {
    if (const auto type = type_of(*option); !type.empty()) text += " " + type;
    const auto& value = option->get_default_str();
    if (!value.empty() && value != "[]") text += " [" + value + "]";
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += "...";
  }
  return text;
}

std::string program_help(std::span<const Verb> verbs) {
  std::string text =
      "Vision transformers in native C++: load, check, train and run them.\n"
      "Usage: saccade VERB [options]      saccade VERB --help      saccade --version\n";
  std::vector<std::string_view> groups;
  for (const auto& verb : verbs)
    if (std::find(groups.begin(), groups.end(), verb.group) == groups.end())
      groups.push_back(verb.group);
  std::sort(groups.begin(), groups.end());
  size_t width = 0;
  for (const auto& verb : verbs) width = std::max(width, verb.name.size());
  for (const auto group : groups) {
    text += fmt::format("\n{}:\n", group);
    for (const auto& verb : verbs)
      if (verb.group == group) text += fmt::format("  {:{}}  {}\n", verb.name, width, verb.summary);
  }
  return text +
         "\nEvery verb: --threads N, --log-level LEVEL, --config-file FILE; results as --json. "
         "Every "
         "option\nalso as $SACCADE_<VERB>_<OPTION>. Exit codes: 0 ok, 1 failed check, 2 usage, "
         "3 bad input file,\n4 not supported, 5 resources, 70 bug, 130 interrupted.\n"
         "\nExample:\n  saccade doctor\n";
}

}  // namespace saccade::cli
