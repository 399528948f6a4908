// saccade doctor: what this machine and this build can do.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "apps/cli/build.h"
#include "apps/cli/hand_over.h"
#include "apps/cli/machine.h"
#include "apps/cli/output.h"
#include "apps/cli/verb.h"
#include "saccade/base/thread_pool.h"
#include "saccade/image/libraries.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

/// What `saccade-torch --version` prints: it loads libtorch, so an answer means that it works.
std::string ask_version(const fs::path& program) {
  std::string quoted;
  for (const char c : program.string()) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  FILE* pipe = ::popen(fmt::format("'{}' --version 2>&1", quoted).c_str(), "r");
  if (pipe == nullptr) return "cannot be started";
  std::string answer;
  std::array<char, 512> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr)
    if (answer.size() < 4096) answer += buffer.data();
  const int status = ::pclose(pipe);
  answer = answer.substr(0, answer.find('\n'));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return answer;
  return fmt::format("does not start: {}", answer);
}

Json torch_report(const Program& program) {
  Json report = {{"found", false}};
  if (program.open_model) {
    return {{"found", true}, {"path", executable().string()}, {"version", program.libraries}};
  }
  if (const auto path = find_torch_program())
    report = {{"found", true}, {"path", path->string()}, {"version", ask_version(*path)}};
  return report;
}

/// The user's cache folder, by the XDG rule; the nearest folder that exists decides.
Json cache_report() {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path folder = xdg != nullptr && *xdg != '\0' ? fs::path(xdg) / "saccade"
                          : home != nullptr              ? fs::path(home) / ".cache" / "saccade"
                                                         : fs::path("/tmp/saccade");
  std::error_code error;
  fs::path existing = folder;
  while (!fs::exists(existing, error) && existing.has_relative_path())
    existing = existing.parent_path();
  const bool writable =
      fs::is_directory(existing, error) && ::access(existing.c_str(), W_OK | X_OK) == 0;
  return {{"path", folder.string()}, {"writable", writable}};
}

Json examine(const Program& program) {
  const Machine machine = read_machine();
  Json report;
  report["saccade"] = version();
  report["compiler"] = compiler();
  report["processor"] = machine.processor;
  report["instruction_sets"] = machine.instruction_sets;
  report["cores"] = machine.cores;
  report["cpu_quota"] = machine.cpu_quota ? Json(*machine.cpu_quota) : Json();
  report["threads"] = thread_count();
  report["memory"] = machine.memory;
  report["memory_available"] = machine.memory_available;
  report["memory_limit"] = machine.memory_limit ? Json(*machine.memory_limit) : Json();
  for (const auto& [name, version] : image::libraries()) report["libraries"][name] = version;
  report["saccade_torch"] = torch_report(program);
  const auto model = default_model();
  report["default_model"] = model ? Json(model->string()) : Json();
  report["cache"] = cache_report();
  return report;
}

std::string joined(const Json& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word.get<std::string>();
  return text.empty() ? "none known" : text;
}

std::string memory_text(const Json& report) {
  auto text = fmt::format("{}, {} available", bytes_text(report["memory"].get<double>()),
                          bytes_text(report["memory_available"].get<double>()));
  if (!report["memory_limit"].is_null())
    text += fmt::format(", limited to {} by the control group",
                        bytes_text(report["memory_limit"].get<double>()));
  return text;
}

std::string cores_text(const Json& report) {
  auto text = fmt::format("{} usable", report["cores"].get<int>());
  if (!report["cpu_quota"].is_null())
    text += fmt::format(", {:.1f} granted by the control group", report["cpu_quota"].get<double>());
  return text + fmt::format("; {} threads", report["threads"].get<int>());
}

void print_report(const Json& report) {
  const auto text = [&](const char* key) { return report[key].get<std::string>(); };
  Table table({{""}, {""}});
  table.add({"saccade", fmt::format("{}, {}", text("saccade"), text("compiler"))});
  table.add({"processor", text("processor")});
  table.add({"instruction sets", joined(report["instruction_sets"])});
  table.add({"cores", cores_text(report)});
  table.add({"memory", memory_text(report)});
  for (const auto& [name, version] : report["libraries"].items())
    table.add({name, version.get<std::string>()});
  const auto& torch = report["saccade_torch"];
  table.add({"saccade-torch", torch["found"].get<bool>()
                                  ? fmt::format("{}, {}", torch["version"].get<std::string>(),
                                                torch["path"].get<std::string>())
                                  : "not found: train, verify and checkpoints need it "
                                    "(`make build`)"});
  table.add({"default model", report["default_model"].is_null()
                                  ? fmt::format("not found ({})", kDefaultModel)
                                  : text("default_model")});
  const auto& cache = report["cache"];
  table.add({"cache", fmt::format("{}, {}", cache["path"].get<std::string>(),
                                  cache["writable"].get<bool>() ? "writable" : "not writable")});
  fmt::print("{}", table.text());
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "what this machine and this build can do",
          [](CLI::App& app, const Program& program) -> Action {
            auto json = std::make_shared<bool>(false);
            app.add_flag("--json", *json, "Print JSON");
            app.footer("Example:\n  saccade doctor");
            return [json, &program] {
              const Json report = examine(program);
              if (*json)
                print_json(report);
              else
                print_report(report);
              return 0;
            };
          }};
}

}  // namespace saccade::cli
