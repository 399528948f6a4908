#include "apps/cli/machine.h"

#include <gtest/gtest.h>

#include "tests/support/run.h"

namespace saccade::test {
namespace {

constexpr const char* kCpuInfo =
    "processor\t: 0\nmodel name\t: Test CPU 3000\nflags\t\t: fpu sse4_2 avx2 fma avx512_vnni\n\n"
    "processor\t: 1\nmodel name\t: Another\nflags\t\t: fpu\n";
constexpr const char* kMemInfo = "MemTotal:       1000000 kB\nMemAvailable:    250000 kB\n";

void write_machine(const TemporaryFolder& root) {
  root.write("proc/cpuinfo", kCpuInfo);
  root.write("proc/meminfo", kMemInfo);
}

TEST(Machine, ReadsWhatTheKernelSays) {
  const TemporaryFolder root;
  write_machine(root);
  const auto machine = cli::read_machine(root.path());
  EXPECT_EQ(machine.processor, "Test CPU 3000");
  EXPECT_EQ(machine.instruction_sets,
            (std::vector<std::string>{"sse4_2", "fma", "avx2", "avx512_vnni"}));
  EXPECT_EQ(machine.memory, 1000000 * 1024);
  EXPECT_EQ(machine.memory_available, 250000 * 1024);
  EXPECT_FALSE(machine.memory_limit);
  EXPECT_FALSE(machine.cpu_quota);
}

TEST(Machine, TheTightestControlGroupCounts) {
  const TemporaryFolder root;
  write_machine(root);
  root.write("proc/self/cgroup", "0::/outer/inner\n");
  root.write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  root.write("sys/fs/cgroup/outer/memory.max", "4096000\n");
  root.write("sys/fs/cgroup/memory.max", "8192000\n");
  root.write("sys/fs/cgroup/outer/inner/cpu.max", "150000 100000\n");
  root.write("sys/fs/cgroup/outer/cpu.max", "max 100000\n");
  const auto machine = cli::read_machine(root.path());
  EXPECT_EQ(machine.memory_limit, 4096000);
  EXPECT_EQ(machine.cpu_quota, 1.5);
}

TEST(Machine, ReadsVersionOneControlGroups) {
  const TemporaryFolder root;
  write_machine(root);
  root.write("proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n1:name=systemd:/\n");
  root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1024000\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  const auto machine = cli::read_machine(root.path());
  EXPECT_EQ(machine.memory_limit, 1024000);
  EXPECT_FALSE(machine.cpu_quota);
}

TEST(Machine, ALimitAboveTheMemoryIsNone) {
  const TemporaryFolder root;
  write_machine(root);
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(cli::read_machine(root.path()).memory_limit);
}

TEST(Machine, NothingThereIsNoFailure) {
  const TemporaryFolder root;
  const auto machine = cli::read_machine(root.path());
  EXPECT_EQ(machine.processor, "");
  EXPECT_EQ(machine.memory, 0);
}

}  // namespace
}  // namespace saccade::test
