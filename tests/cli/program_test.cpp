// What `saccade` does before and after a verb runs: help, names, exit codes, broken outputs.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <new>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "apps/cli/build.h"
#include "apps/cli/interrupt.h"
#include "apps/cli/verb.h"
#include "saccade/base/check.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

using testing::ExitedWithCode;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The verbs that the program itself lists.
std::vector<std::string> listed_verbs() {
  std::vector<std::string> verbs;
  for (const auto& line : lines_of(saccade({"--help"}).out)) {
    if (line == "Example:") break;
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
      verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return verbs;
}

/// Code points, as many columns as a terminal uses.
size_t columns(const std::string& line) {
  return static_cast<size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Runs a program of one verb, "act", inside this process.
int run_verb(const cli::Action& act, const std::vector<std::string>& arguments = {},
             const std::function<void(CLI::App&)>& add_options = {}) {
  std::vector<std::string> texts{"saccade", "act"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& text : texts) argv.push_back(text.data());
  cli::Program program;
  program.name = "saccade";
  program.argc = static_cast<int>(argv.size());
  program.argv = argv.data();
  const std::vector<cli::Verb> verbs{{"act", "Acts", [&](CLI::App& app, const cli::Program&) {
                                        if (add_options) add_options(app);
                                        return act;
                                      }}};
  return cli::run_program(program, verbs);
}

TEST(Program, ListsItsVerbsUnderHeadings) {
  const auto result = saccade({"--help"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_LE(lines_of(result.out).size(), 32U);
  EXPECT_NE(result.out.find("\nModels and files:\n"), std::string::npos);
  const auto verbs = listed_verbs();
  for (const auto* verb : {"doctor", "models", "profile", "train"})
    EXPECT_NE(std::find(verbs.begin(), verbs.end(), verb), verbs.end()) << verb;
}

TEST(Program, HelpOfEveryVerbFitsAScreenAndHasAnExample) {
  for (const auto& verb : listed_verbs()) {
    const auto result = saccade({verb, "--help"});
    if (result.code == 4) continue;  // handed over, and there is no saccade-torch in this build
    EXPECT_EQ(result.code, 0) << verb << ": " << result.err;
    const auto lines = lines_of(result.out);
    EXPECT_LE(lines.size(), 24U) << verb;
    for (const auto& line : lines) EXPECT_LE(columns(line), 100U) << verb << ": " << line;
    EXPECT_NE(result.out.find("Example"), std::string::npos) << verb;
    EXPECT_NE(result.out.find("Usage: saccade " + verb), std::string::npos) << verb;
    EXPECT_NE(result.out.find("  saccade " + verb), std::string::npos) << verb;
  }
}

TEST(Program, HelpIsLaidOutForAScreen) {
  std::vector<std::string> files;
  std::string when = "auto", name;
  int count = 3;
  testing::internal::CaptureStdout();
  const int code = run_verb(
      [] { return 1; }, {"--help"},
      [&](CLI::App& app) {
        app.add_option("files", files, "Files")->type_name("FILE");
        app.add_option("--when", when, "A choice")->check(CLI::IsMember({"auto", "yes"}));
        app.add_option("--count", count, "A number")->type_name("N")->check(CLI::Range(1, 9));
        app.add_option("--a-rather-long-name", name,
                       "A text that is too long for what is left of "
                       "the line and goes on in the next one");
        app.footer("Example:\n  saccade act");
      });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            R"(Acts
Usage: saccade act [OPTIONS] [files...]

Arguments:
  files FILE...           Files

Options:
  -h,--help               Print this help message and exit
  --when auto|yes [auto]  A choice
  --count N [3]           A number
  --a-rather-long-name TEXT
                          A text that is too long for what is left of the line and goes on in the
                          next one

Example:
  saccade act
)");
}

TEST(Program, TellsItsVersion) {
  const auto result = saccade({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(result.out.starts_with("saccade 0.")) << result.out;
}

TEST(Program, WrongUsageIsOneLineAndAHint) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "saccade: no verb given"},
      {{"doktor"}, "saccade: unknown verb \"doktor\"; did you mean \"doctor\"?"},
      {{"--jsn"}, "saccade: unknown option \"--jsn\"; the verb comes first"},
      {{"doctor", "--jsn"}, "saccade: unknown option \"--jsn\"; did you mean \"--json\"?"},
      {{"doctor", "--jsn=1"}, "saccade: unknown option \"--jsn\"; did you mean \"--json\"?"},
      {{"doctor", "again"}, "saccade: unexpected argument \"again\""},
      {{"doctor", "--threads", "many"}, "saccade: "},
      {{"doctor", "--threads", "0"}, "saccade: "},
      {{"doctor", "--log-level", "loud"}, "saccade: --log-level is debug, info"},
      {{"profile"}, "saccade: model is required"},
      // The misspelt option is the better message than what is missing because of it.
      {{"profile", "--dept", "2"}, "saccade: unknown option \"--dept\"; did you mean \"--depth\"?"},
  };
  for (const auto& [arguments, message] : cases) {
    const auto result = saccade(arguments);
    EXPECT_EQ(result.code, 2) << message;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(result.err.starts_with(message)) << result.err;
    const auto lines = lines_of(result.err);
    ASSERT_EQ(lines.size(), 2U) << result.err;
    EXPECT_TRUE(lines[1].starts_with("hint: saccade ")) << result.err;
  }
}

TEST(Program, AnArgumentMayBeNamedLikeAVerb) {
  const TemporaryFolder folder;
  folder.write("models/config.json", R"({"model_type": "unheard of"})");
  const auto result = saccade({"profile", "models"}, {.folder = folder.path()});
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.err.find("models/config.json: "), std::string::npos) << result.err;
}

TEST(Program, AReaderThatHasGoneEndsItQuietly) {
  const auto result = run("/bin/sh", {"-c",
                                      "{ sleep 0.3; \"$0\" models --json; "
                                      "echo code $? >&2; } | true",
                                      std::string(SACCADE_BIN) + "/saccade"});
  EXPECT_EQ(result.err, "code 141\n");  // 128 + SIGPIPE, as every other program
}

TEST(Program, ResultsThatCannotBeWrittenAreAnError) {
  const auto result =
      run("/bin/sh", {"-c", "\"$0\" models > /dev/full", std::string(SACCADE_BIN) + "/saccade"});
  EXPECT_EQ(result.code, 5);
  EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
}

TEST(Program, EveryKindOfErrorHasItsExitCode) {
  const std::vector<std::pair<int, std::function<void()>>> cases{
      {1, [] { throw Error(ErrorKind::failed_check, "differs"); }},
      {2, [] { throw usage_error("not so"); }},
      {3, [] { throw input_error("x.pth", "broken"); }},
      {4, [] { throw unsupported_error("not yet"); }},
      {5, [] { throw resource_error("disk full"); }},
      {5, [] { throw std::bad_alloc(); }},
      {5, [] { throw std::length_error("vector"); }},
      {5, [] { throw std::system_error(ENOSPC, std::generic_category(), "write"); }},
      {130, [] { throw Error(ErrorKind::interrupted, "stopped"); }},
      {70, [] { SACCADE_CHECK(1 == 2, "arithmetic"); }},
      {70, [] { throw std::runtime_error("surprise"); }},
  };
  for (const auto& [code, act] : cases) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_verb([&act = act] {
                act();
                return 0;
              }),
              code);
    const auto text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(text.starts_with("saccade: ")) << text;
    EXPECT_EQ(text.find("please report") != text.npos, code == 70) << text;
  }
}

TEST(Program, AnotherLibrarysExceptionsCanBeExplained) {
  cli::Program program;
  std::array<std::string, 2> texts{"saccade", "act"};
  std::array<char*, 2> argv{texts[0].data(), texts[1].data()};
  program.name = "saccade";
  program.argc = 2;
  program.argv = argv.data();
  program.explain = [](const std::exception&) { return resource_error("the device is full"); };
  const std::vector<cli::Verb> verbs{
      {"act", "Acts", [](CLI::App&, const cli::Program&) -> cli::Action {
         return []() -> int { throw std::runtime_error("surprise"); };
       }}};
  testing::internal::CaptureStderr();
  EXPECT_EQ(cli::run_program(program, verbs), 5);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "saccade: the device is full\n");
}

/// Opens a model with an opener that only tells what it was asked for.
std::string opened(const std::string& model) {
  cli::Program program;
  program.name = "saccade-torch";
  program.open_model = [](const cli::ModelArgs& args) {
    cli::OpenedModel out;
    out.name = args.model;
    return out;
  };
  cli::ModelArgs args;
  args.model = model;
  return cli::open_model(program, args).name;
}

TEST(Program, OpensTheModelThatWasNamedOrElseTheBundledOne) {
  EXPECT_EQ(opened("vit_tiny_patch16_224"), "vit_tiny_patch16_224");
  if (const auto bundled = cli::default_model()) {
    EXPECT_EQ(opened(""), bundled->string());
    return;
  }
  try {
    (void)opened("");
    FAIL() << "there is no bundled model to open";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("with -m"), std::string::npos) << error.what();
  }
}

TEST(Program, ReturnsWhatTheVerbReturns) {
  EXPECT_EQ(run_verb([] { return 3; }), 3);
}

/// As a program that a terminal starts: a script's background jobs ignore SIGINT.
void take_signals() {
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
}

TEST(ProgramDeathTest, AnInterruptStopsAtOnce) {
  take_signals();
  for (const int signal : {SIGINT, SIGTERM})
    EXPECT_EXIT((void)run_verb([signal] {
                  std::raise(signal);
                  return 0;
                }),
                ExitedWithCode(130), "");
}

TEST(ProgramDeathTest, AStepCanBeFinishedFirst) {
  take_signals();
  const auto finish = [] {
    const cli::FinishStepFirst scope;
    if (cli::FinishStepFirst::stop_requested()) return 1;
    std::raise(SIGINT);
    return cli::FinishStepFirst::stop_requested() ? 42 : 1;
  };
  EXPECT_EXIT(std::_Exit(run_verb(finish)), ExitedWithCode(42), "");
  const auto insist = [] {
    const cli::FinishStepFirst scope;
    std::raise(SIGINT);
    std::raise(SIGINT);
    return 0;
  };
  EXPECT_EXIT((void)run_verb(insist), ExitedWithCode(130), "");
}

TEST(ProgramDeathTest, WhatWasToBeIgnoredStaysIgnored) {
  const auto ignoring = [] {
    std::signal(SIGINT, SIG_IGN);
    return run_verb([] {
      std::raise(SIGINT);
      return 42;
    });
  };
  EXPECT_EXIT(std::_Exit(ignoring()), ExitedWithCode(42), "");
}

}  // namespace
}  // namespace saccade::test
