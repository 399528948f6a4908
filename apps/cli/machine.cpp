#include "apps/cli/machine.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

/// In the order of their arrival, x86 and then Arm.
constexpr std::array<std::string_view, 22> kInstructionSets{
    "sse4_1",      "sse4_2",      "avx",      "f16c",     "fma",      "avx2",
    "avx512f",     "avx512bw",    "avx512dq", "avx512vl", "avx_vnni", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd",
    "asimddp",     "bf16",        "i8mm",     "sve"};

/// The value of the first line "key<spaces>: value".
std::string value_of(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const auto colon = line.find(':');
    if (colon == line.npos || line.find_last_not_of(" \t", colon - 1) + 1 != key.size()) continue;
    const auto start = line.find_first_not_of(" \t", colon + 1);
    return start == line.npos ? "" : line.substr(start);
  }
  return "";
}

std::vector<std::string> instruction_sets(const fs::path& cpuinfo) {
  auto flags = value_of(cpuinfo, "flags");
  if (flags.empty()) flags = value_of(cpuinfo, "Features");
  std::istringstream words(flags);
  const std::vector<std::string> present{std::istream_iterator<std::string>(words),
                                         std::istream_iterator<std::string>()};
  std::vector<std::string> sets;
  for (const auto name : kInstructionSets)
    if (std::find(present.begin(), present.end(), name) != present.end()) sets.emplace_back(name);
  return sets;
}

/// A line "MemTotal:  8000000 kB" in bytes.
int64_t memory_line(const fs::path& meminfo, std::string_view key) {
  std::istringstream value(value_of(meminfo, key));
  int64_t kib = 0;
  value >> kib;
  return kib * 1024;
}

/// The control groups of this process, own first, for a controller of version 1 ("" for version 2).
std::vector<fs::path> control_groups(const fs::path& root, std::string_view controller) {
  std::ifstream in(root / "proc/self/cgroup");
  fs::path top = root / "sys/fs/cgroup" / controller;
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const auto names = line.substr(first + 1, second - first - 1);
    if (controller.empty()
            ? !names.empty()
            : ("," + names + ",").find("," + std::string(controller) + ",") == names.npos)
      continue;
    std::vector<fs::path> groups;
    const auto own = fs::path(line.substr(second + 1)).relative_path();
    for (fs::path group = own; !group.empty(); group = group.parent_path())
      groups.push_back(top / group);
    groups.push_back(top);
    return groups;
  }
  return {top};
}

/// The smallest number of a file over these groups; "max" and absent files are no limit.
std::optional<int64_t> smallest(const std::vector<fs::path>& groups, const char* file) {
  std::optional<int64_t> limit;
  for (const auto& group : groups) {
    std::ifstream in(group / file);
    if (int64_t value = 0; in >> value) limit = std::min(limit.value_or(value), value);
  }
  return limit;
}

std::optional<int64_t> memory_limit(const fs::path& root, int64_t memory) {
  auto limit = smallest(control_groups(root, ""), "memory.max");
  if (!limit) limit = smallest(control_groups(root, "memory"), "memory.limit_in_bytes");
  if (limit && memory > 0 && *limit >= memory) return std::nullopt;  // says nothing
  return limit;
}

std::optional<double> cpu_quota(const fs::path& root) {
  std::optional<double> cores;
  const auto note = [&](double quota, double period) {
    if (quota > 0 && period > 0) cores = std::min(cores.value_or(quota / period), quota / period);
  };
  for (const auto& group : control_groups(root, "")) {
    std::ifstream in(group / "cpu.max");
    if (double quota = 0, period = 0; in >> quota >> period) note(quota, period);
  }
  for (const auto& group : control_groups(root, "cpu")) {
    std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
    if (double quota = 0, period = 0; quota_file >> quota && period_file >> period)
      note(quota, period);
  }
  return cores;
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
}

}  // namespace

Machine read_machine(const fs::path& root) {
  Machine machine;
  const auto cpuinfo = root / "proc/cpuinfo", meminfo = root / "proc/meminfo";
  machine.processor = value_of(cpuinfo, "model name");
  machine.instruction_sets = instruction_sets(cpuinfo);
  machine.cores = usable_cores();
  machine.cpu_quota = cpu_quota(root);
  machine.memory = memory_line(meminfo, "MemTotal");
  machine.memory_available = memory_line(meminfo, "MemAvailable");
  machine.memory_limit = memory_limit(root, machine.memory);
  return machine;
}

}  // namespace saccade::cli
