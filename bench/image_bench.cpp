// Resizing a photograph of 12 megapixels to a shorter side of 224, and decoding it before, beside
// Pillow in the same run: rounds of both take turns, so that a busy machine slows both down.
//
//   bench_image [PHOTO.jpg]      without a photograph: one is made
//
// The peer is bench/image_pillow.py, run by $SACCADE_PYTHON or python3 if that has Pillow.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/cli/machine.h"
#include "saccade/base/file.h"
#include "saccade/base/random.h"
#include "saccade/base/thread_pool.h"
#include "saccade/image/decode.h"
#include "saccade/image/encode.h"
#include "saccade/image/filter/kernels.h"
#include "saccade/image/preprocess.h"
#include "saccade/image/resize.h"

namespace {

using namespace saccade;

constexpr int64_t kSize = 224;
constexpr int kRounds = 6;
constexpr int kRunsPerRound = 4;

using Times = std::map<std::string, std::vector<double>>;  // milliseconds by task

/// Soft shapes, fine texture and sensor noise: about as hard to decode as a real photograph.
image::Image make_photo(int64_t height, int64_t width) {
  image::Image photo = image::blank(height, width, 3);
  Random random(1, 0, 0, "bench photo");
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto fx = static_cast<double>(x), fy = static_cast<double>(y);
      const double shape = 60 * std::sin(fx / 211) * std::cos(fy / 173);
      const double texture = 18 * std::sin(fx / 7 + std::sin(fy / 31) * 3);
      const uint64_t noise = random.bits();
      for (int c = 0; c < 3; ++c) {
        const double grain = static_cast<double>(noise >> (8 * c) & 15) - 7.5;
        const double value = 128 + shape * (c == 1 ? 0.7 : 1.0) + texture + grain;
        photo.row(y)[3 * x + c] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  return photo;
}

template <class Run>
void timed(Times& times, const std::string& task, const Run& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  times[task].push_back(took.count());
}

Pipeline photo_pipeline() {
  Pipeline pipeline;
  pipeline.resize_height = pipeline.resize_width = kSize;
  pipeline.crop = CropRule::none;
  return pipeline;
}

void run_ours(const std::filesystem::path& file, const image::Image& photo, Times& times) {
  const auto [height, width] = image::shorter_side_size(photo.height, photo.width, kSize);
  for (int i = 0; i < kRunsPerRound; ++i) {
    timed(times, "decode", [&] { (void)image::read_image(file); });
    timed(times, "resize",
          [&] { (void)image::resize(photo, height, width, Interpolation::bicubic); });
    timed(times, "decode+resize",
          [&] { (void)image::read_and_preprocess(file, photo_pipeline()); });
  }
}

/// False if there is no Python with Pillow.
bool run_pillow(const std::filesystem::path& file, Times& times, std::string& version) {
  const char* python = std::getenv("SACCADE_PYTHON");
  const auto script = std::filesystem::path(SACCADE_BENCH_FOLDER) / "image_pillow.py";
  const auto command =
      fmt::format("'{}' '{}' '{}' {} {} 2>/dev/null", python != nullptr ? python : "python3",
                  script.string(), file.string(), kSize, kRunsPerRound);
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return false;
  char line[256];
  while (std::fgets(line, sizeof(line), pipe) != nullptr) {
    std::istringstream words(line);
    std::string task;
    double milliseconds = 0;
    words >> task;
    if (task == "#")
      version = std::string(line).substr(2, std::string(line).size() - 3);
    else if (words >> milliseconds)
      times[task].push_back(milliseconds);
  }
  return ::pclose(pipe) == 0;
}

double minimum(const std::vector<double>& times) { return *std::ranges::min_element(times); }

double median(std::vector<double> times) {
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void report(const Times& ours, const Times& pillow) {
  fmt::print("{:<16}{:>12}{:>12}{:>14}{:>14}{:>14}\n", "milliseconds", "ours min", "ours median",
             "Pillow min", "Pillow median", "ours/Pillow");
  for (const char* task : {"decode", "resize", "decode+resize"}) {
    const auto& mine = ours.at(task);
    fmt::print("{:<16}{:>12.1f}{:>12.1f}", task, minimum(mine), median(mine));
    if (const auto peer = pillow.find(task); peer != pillow.end())
      fmt::print("{:>14.1f}{:>14.1f}{:>14.2f}", minimum(peer->second), median(peer->second),
                 minimum(mine) / minimum(peer->second));
    fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  fs::path file = argc > 1 ? fs::path(argv[1]) : fs::path();
  const bool made = file.empty();
  if (made) {
    file = fs::temp_directory_path() / fmt::format("saccade_bench_{}.jpg", std::rand());
    image::write_image(file, make_photo(3000, 4000));
  }
  const image::Image photo = image::read_image(file);
  const auto machine = cli::read_machine();
  fmt::print("{}; vector code: {}; {} threads\n", machine.processor, image::vector_target(),
             thread_count());
  fmt::print("photo {} x {}, {} bytes{}; bicubic, shorter side {}\n", photo.width, photo.height,
             fs::file_size(file), made ? " (made here)" : "", kSize);
  Times ours, pillow;
  std::string version;
  bool peer = true;
  for (int round = 0; round < kRounds; ++round) {
    run_ours(file, photo, ours);
    peer = peer && run_pillow(file, pillow, version);
  }
  fmt::print("peer: {}\n", peer ? version : "none (no Python with Pillow; set SACCADE_PYTHON)");
  report(ours, pillow);
  if (made) fs::remove(file);
  return 0;
}
