#pragma once
// Help that fits a screen.

#include <span>
#include <string>

#include "apps/cli/verb.h"

namespace saccade::cli {

/// Layout of a verb's help: single blank lines, no noise behind option names, 100 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

/// What `saccade --help` prints: the verbs under their headings.
[[nodiscard]] std::string program_help(std::span<const Verb> verbs);

}  // namespace saccade::cli
