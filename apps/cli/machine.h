#pragma once
// What the kernel says about this machine and about the limits of this process.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace saccade::cli {

struct Machine {
  std::string processor;                      ///< "AMD EPYC ..."
  std::vector<std::string> instruction_sets;  ///< those that matter here, as the kernel names them
  int cores = 0;                              ///< that this process may run on
  std::optional<double> cpu_quota;            ///< cores that the control group grants
  int64_t memory = 0;                         ///< bytes
  int64_t memory_available = 0;               ///< bytes
  std::optional<int64_t> memory_limit;        ///< bytes that the control group grants
};

/// Reads below `root` (/proc and /sys), "/" outside tests. What cannot be read stays empty.
[[nodiscard]] Machine read_machine(const std::filesystem::path& root = "/");

}  // namespace saccade::cli
