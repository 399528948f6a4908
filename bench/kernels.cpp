// The matrix and attention kernels on one thread: GFLOP/s and share of the core's peak at the
// shapes of ViT-B, DeiT-Ti, Swin-T and ResNet-50, beside oneDNN where the build found it.
//
//   bench_kernels [fp32|bf16|int8]... [avx2|baseline] [seconds per shape]
//
// The peak is measured by multiply-adds on registers, in turn with the kernels. Times are the
// best decile of the thread's processor time, so that other work on the machine shows little.
// Weights are taken from several copies in turn, 64 MiB together: they come from memory, as in an
// inference.

#include <fmt/format.h>
#include <hwy/targets.h>

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/kernels_onednn.h"
#include "saccade/ops/panels.h"
#include "saccade/runtime/kernels/attention.h"
#include "saccade/runtime/kernels/matmul.h"
#include "saccade/runtime/kernels/pool.h"

namespace {

using namespace saccade;
using namespace saccade::runtime;

constexpr const char* kUsage =
    "bench_kernels [fp32|bf16|int8]... [avx2|baseline] [seconds per shape]\n";

struct Shape {
  const char* name;
  int64_t m, n, k;
};

constexpr Shape kShapes[] = {
    {"ViT-B patches", 196, 768, 768},      {"ViT-B qkv", 197, 2304, 768},
    {"ViT-B proj", 197, 768, 768},         {"ViT-B fc1", 197, 3072, 768},
    {"ViT-B fc2", 197, 768, 3072},         {"ViT-B head", 1, 1000, 768},
    {"DeiT-S qkv", 197, 1152, 384},        {"DeiT-S fc2", 197, 384, 1536},
    {"DeiT-Ti qkv", 197, 576, 192},        {"DeiT-Ti proj", 197, 192, 192},
    {"DeiT-Ti fc1", 197, 768, 192},        {"DeiT-Ti fc2", 197, 192, 768},
    {"Swin-T 1 qkv", 3136, 288, 96},       {"Swin-T 1 proj", 3136, 96, 96},
    {"Swin-T 1 fc1", 3136, 384, 96},       {"Swin-T 1 fc2", 3136, 96, 384},
    {"Swin-T 2 qkv", 784, 576, 192},       {"Swin-T 2 fc2", 784, 192, 768},
    {"Swin-T 3 qkv", 196, 1152, 384},      {"Swin-T 3 fc2", 196, 384, 1536},
    {"Swin-T 4 qkv", 49, 2304, 768},       {"Swin-T 4 fc2", 49, 768, 3072},
    {"Swin-T window qkv", 49, 288, 96},    {"ResNet-50 conv1", 12544, 64, 147},
    {"ResNet-50 1x1 256", 3136, 64, 256},  {"ResNet-50 3x3 64", 3136, 64, 576},
    {"ResNet-50 3x3 128", 784, 128, 1152}, {"ResNet-50 3x3 256", 196, 256, 2304},
    {"ResNet-50 3x3 512", 49, 512, 4608},  {"ResNet-50 1x1 2048", 49, 2048, 512},
};

struct AttentionShape {
  const char* name;
  int64_t windows, tokens, heads, dim;
  bool bias;
};

constexpr AttentionShape kAttention[] = {
    {"ViT-B attention", 1, 197, 12, 64, false},  {"DeiT-Ti attention", 1, 197, 3, 64, false},
    {"Swin-T 1 attention", 64, 49, 3, 32, true}, {"Swin-T 2 attention", 16, 49, 6, 32, true},
    {"Swin-T 3 attention", 4, 49, 12, 32, true}, {"Swin-T 4 attention", 1, 49, 24, 32, true},
    {"DETR attention", 1, 850, 8, 32, false},
};

/// Processor time of this thread, in seconds: time that others take from it does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Memory aligned to 64 bytes.
class Buffer {
 public:
  explicit Buffer(int64_t bytes)
      : bytes_((bytes + 4095) / 4096 * 4096),
        data_(static_cast<std::byte*>(std::aligned_alloc(4096, bytes_))) {
    std::fill(data_, data_ + bytes_, std::byte{});
  }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  [[nodiscard]] std::span<std::byte> span() const { return {data_, static_cast<size_t>(bytes_)}; }
  [[nodiscard]] float* floats() const { return reinterpret_cast<float*>(data_); }

 private:
  int64_t bytes_;
  std::byte* data_;
};

void fill_random(float* x, int64_t count, uint32_t seed) {
  for (int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;
    x[i] = static_cast<float>(seed >> 8) / (1 << 23) - 1.0F;
  }
}

/// Times of several ways to do the same, taken in turn: of each the best decile, because a single
/// minimum may be an error of the clock.
std::vector<double> race(std::span<const std::function<void()>> runners, double seconds) {
  std::vector<std::vector<double>> times(runners.size());
  const double end = now() + seconds;
  for (int round = 0; round < 10 || now() < end; ++round) {
    for (size_t i = 0; i < runners.size(); ++i) {
      const double start = now();
      runners[i]();
      times[i].push_back(now() - start);
    }
  }
  std::vector<double> best;
  for (auto& list : times) {
    const auto decile = list.begin() + static_cast<int64_t>(list.size() / 10);
    std::nth_element(list.begin(), decile, list.end());
    best.push_back(*decile);
  }
  return best;
}

const kernels::TileFamily& family(const kernels::KernelTable& table, DType type) {
  return type == DType::F32    ? table.tiles.f32
         : type == DType::BF16 ? table.tiles.bf16
                               : table.tiles.i8;
}

/// A peak measurement of about 50 microseconds, and its operations.
struct Peak {
  double (*burn)(int64_t);
  int64_t rounds = 10000;
  double macs = 0;
  void run() { macs = burn(rounds); }
};

void bench_shape(const Shape& shape, DType type, double seconds) {
  const auto [name, m, n, k] = shape;
  const int64_t bytes = ops::panel_bytes(type, n, k);
  const int64_t copies = std::clamp<int64_t>((64 << 20) / bytes, 1, 64);
  Buffer a(m * k * 4), c(m * n * 4), panels(bytes * copies), bias(n * 4);
  std::vector<float> weights(n * k);
  fill_random(a.floats(), m * k, 1);
  fill_random(weights.data(), n * k, 2);
  const ops::MatrixView view{weights.data(), n, k, k, 1};
  ops::Int8Columns columns;
  for (int64_t i = 0; i < copies; ++i) {
    const auto area = panels.span().subspan(i * bytes, bytes);
    if (type == DType::I8)
      columns = ops::pack_int8_panels(view, area);
    else
      ops::pack_panels(type, view, area);
  }
  kernels::Matmul op;
  op.m = m, op.n = n, op.k = k;
  op.left.data = a.floats();
  op.left.row_stride = k;
  op.right = {type, panels.span().data(), columns.scale.data(), columns.sum.data()};
  op.epilogue.bias = bias.floats();
  op.out.data = c.floats();
  op.out.row_stride = n;
  Pool pool(1);
  Buffer scratch(kernels::matmul_scratch(op, 1));
  int64_t turn = 0;
  Peak peak{family(kernels::kernel_table(), type).burn};
  std::vector<std::function<void()>> runners;
  runners.emplace_back([&] { peak.run(); });
  runners.emplace_back([&] {
    op.right.panels = panels.span().data() + turn++ % copies * bytes;
    kernels::matmul(op, pool, scratch.span());
  });
  const auto other = bench::onednn_matmul(m, n, k, type, a.floats(), weights.data(), bias.floats(),
                                          c.floats(), static_cast<int>(copies));
  if (other) runners.emplace_back(other);
  const auto best = race(runners, seconds);
  const double operations = 2.0 * m * n * k, top = 2 * peak.macs / best[0] / 1e9;
  const double ours = operations / best[1] / 1e9;
  fmt::print("{:<20} {:>6} {:>5} {:>5} {:>10.1f} {:>8.1f} {:>7.1f}", name, m, n, k, best[1] * 1e6,
             ours, 100 * ours / top);
  if (other) {
    const double theirs = operations / best[2] / 1e9;
    fmt::print(" {:>9.1f} {:>7.1f} {:>7.2f}", theirs, 100 * theirs / top, ours / theirs);
  }
  fmt::print("\n");
}

/// q, k and v side by side as a linear layer leaves them; windows in token order.
void bench_attention(const AttentionShape& shape, DType type, double seconds) {
  const auto [name, windows, tokens, heads, dim, bias] = shape;
  const int64_t width = heads * dim, rows = windows * tokens;
  Buffer qkv(rows * 3 * width * 4), out(rows * width * 4), added(heads * tokens * tokens * 4);
  fill_random(qkv.floats(), rows * 3 * width, 1);
  kernels::Attention op;
  op.groups = windows, op.heads = heads;
  op.queries = op.keys = tokens;
  op.head_dim = op.value_dim = dim;
  op.q = op.k = op.v = {qkv.floats(), 0, dim, 3 * width};
  op.k.data += width, op.v.data += 2 * width;
  if (bias) op.bias = {added.floats(), 0, 0, tokens * tokens, tokens};
  op.scale = 0.125F;
  op.out = out.floats();
  op.out_head_stride = dim, op.out_row_stride = width;
  op.bf16 = type == DType::BF16;
  Pool pool(1);
  Buffer scratch(kernels::attention_scratch(op, 1));
  Peak peak{family(kernels::kernel_table(), type).burn};
  const std::function<void()> runners[] = {[&] { peak.run(); },
                                           [&] { kernels::attention(op, pool, scratch.span()); }};
  const auto best = race(runners, seconds);
  const double operations = 4.0 * rows * tokens * width, top = 2 * peak.macs / best[0];
  fmt::print("{:<20} {:>6} {:>5} {:>5} {:>10.1f} {:>8.1f} {:>7.1f}\n", name, rows, tokens, dim,
             best[1] * 1e6, operations / best[1] / 1e9, 100 * operations / best[1] / top);
}

void bench_type(DType type, double seconds) {
  const char* precision = type == DType::F32 ? "fp32" : type == DType::BF16 ? "bf16" : "int8";
  const auto table = kernels::kernel_table();
  Peak peak{family(table, type).burn};
  const std::function<void()> runner[] = {[&] { peak.run(); }};
  const double top = 2 * peak.rounds / race(runner, 0.3)[0] / 1e9 * (peak.macs / peak.rounds);
  fmt::print("\n{} on {}: one core's peak {:.0f} GFLOP/s{}\n", precision, family(table, type).name,
             top, bench::have_onednn() ? "; oneDNN beside, packed weights" : "");
  fmt::print("{:<20} {:>6} {:>5} {:>5} {:>10} {:>8} {:>7}", "", "M", "N", "K", "us", "GFLOP/s",
             "% peak");
  if (bench::have_onednn()) fmt::print(" {:>9} {:>7} {:>7}", "oneDNN", "% peak", "ratio");
  fmt::print("\n");
  for (const Shape& shape : kShapes) bench_shape(shape, type, seconds);
  if (type == DType::I8) return;  // attention stays in fp32 or bf16
  for (const AttentionShape& shape : kAttention) bench_attention(shape, type, seconds);
}

/// Goes without instruction sets better than the one named.
void restrict_to(int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<DType> types;
  double seconds = 0.2;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "fp32")
      types.push_back(DType::F32);
    else if (word == "bf16")
      types.push_back(DType::BF16);
    else if (word == "int8")
      types.push_back(DType::I8);
    else if (word == "avx2")
      restrict_to(HWY_AVX2);
    else if (word == "baseline")
      restrict_to(HWY_SSSE3);
    else if (const double value = std::atof(argv[i]); value > 0)
      seconds = value;
    else
      return fmt::print(stderr, "{}", kUsage), 2;
  }
  if (types.empty()) types = {DType::F32, DType::BF16, DType::I8};
  for (const DType type : types) bench_type(type, seconds);
  return 0;
}
