// Replays a corpus through LLVMFuzzerTestOneInput, then mutates it for a bounded time. For
// compilers without libFuzzer (SACCADE_LIBFUZZER=ON links the real one, clang only).
//
//   fuzz_<reader> [--seconds N] [--seed N] FILE|FOLDER...
//
// Seconds default to SACCADE_FUZZ_SECONDS, else 1. The input being tried is always in the file that
// the first line names, so that it is there after a crash.

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "saccade/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxSize = 1 << 20;
constexpr double kSlow = 5.0;  // seconds for one input that count as a hang

struct Options {
  double seconds = 1;
  uint64_t seed = 1;
  std::vector<fs::path> paths;
};

Options parse(int argc, char** argv) {
  Options options;
  if (const char* seconds = std::getenv("SACCADE_FUZZ_SECONDS"))
    options.seconds = std::strtod(seconds, nullptr);
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--seconds" && i + 1 < argc)
      options.seconds = std::strtod(argv[++i], nullptr);
    else if (flag == "--seed" && i + 1 < argc)
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    else
      options.paths.emplace_back(flag);
  }
  return options;
}

Bytes read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Bytes> read_corpus(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (const fs::path& file : files) corpus.push_back(read(file));
  return corpus;
}

/// Keeps the current input in a shared map of a file: the kernel writes it even if we crash.
class CurrentInput {
 public:
  explicit CurrentInput(const std::string& path) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ftruncate(file, sizeof(uint64_t) + kMaxSize) != 0) std::exit(2);
    void* map = mmap(nullptr, sizeof(uint64_t) + kMaxSize, PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) std::exit(2);
    map_ = static_cast<uint8_t*>(map);
    close(file);
  }
  void set(const Bytes& input) {
    const uint64_t size = std::min(input.size(), kMaxSize);
    std::memcpy(map_, &size, sizeof size);
    if (size != 0) std::memcpy(map_ + sizeof size, input.data(), size);
  }

 private:
  uint8_t* map_ = nullptr;
};

class Mutator {
 public:
  Mutator(const std::vector<Bytes>& corpus, uint64_t seed)
      : corpus_(corpus), random_(seed, 0, 0, "fuzz") {}

  Bytes next() {
    Bytes bytes = corpus_[random_.below(corpus_.size())];
    for (uint64_t n = 1 + random_.below(6); n > 0; --n) mutate(bytes);
    if (bytes.size() > kMaxSize) bytes.resize(kMaxSize);
    return bytes;
  }

 private:
  void mutate(Bytes& bytes) {
    if (bytes.empty()) bytes.push_back(0);
    const size_t at = random_.below(bytes.size());
    const size_t length = 1 + random_.below(std::min<size_t>(bytes.size() - at, 64));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    switch (random_.below(7)) {
      case 0: bytes[at] ^= static_cast<uint8_t>(1U << random_.below(8)); break;
      case 1: bytes[at] = static_cast<uint8_t>(random_.bits()); break;
      case 2: put_number(bytes, at); break;
      case 3: bytes.erase(begin, end); break;
      case 4: bytes.resize(at + 1); break;
      case 5: {
        const Bytes piece(begin, end);
        bytes.insert(begin, piece.begin(), piece.end());
        break;
      }
      default: splice(bytes, at); break;
    }
  }

  /// A value at which sizes and offsets tend to go wrong.
  void put_number(Bytes& bytes, size_t at) {
    constexpr uint64_t kNumbers[] = {0,
                                     1,
                                     0x7F,
                                     0x80,
                                     0xFF,
                                     0x7FFF,
                                     0xFFFF,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFF,
                                     0x7FFFFFFFFFFFFFFF,
                                     0x8000000000000000,
                                     ~0ULL};
    const uint64_t number = kNumbers[random_.below(std::size(kNumbers))];
    const size_t width = std::min<size_t>(size_t{1} << random_.below(4), bytes.size() - at);
    std::memcpy(bytes.data() + at, &number, width);
  }

  void splice(Bytes& bytes, size_t at) {
    const Bytes& other = corpus_[random_.below(corpus_.size())];
    if (other.empty()) return;
    const size_t from = random_.below(other.size());
    bytes.resize(at);
    bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
  }

  const std::vector<Bytes>& corpus_;
  saccade::Random random_;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// False if the input took so long that it counts as a hang.
bool try_input(const Bytes& input, CurrentInput& current) {
  current.set(input);
  const auto start = Clock::now();
  LLVMFuzzerTestOneInput(input.data(), input.size());
  if (seconds_since(start) < kSlow) return true;
  fmt::print(stderr, "an input of {} bytes took {:.1f} s\n", input.size(), seconds_since(start));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::vector<Bytes> corpus = read_corpus(options.paths);
  const std::string kept = fmt::format("{}.current_input", argv[0]);
  fmt::print("{} corpus files; the input being tried (8 bytes of length, then bytes): {}\n",
             corpus.size(), kept);
  std::fflush(stdout);
  CurrentInput current(kept);
  const auto start = Clock::now();
  int64_t runs = 0;
  for (const Bytes& input : corpus) {
    if (!try_input(input, current)) return 1;
    ++runs;
  }
  if (corpus.empty()) corpus.emplace_back();
  Mutator mutator(corpus, options.seed);
  for (; seconds_since(start) < options.seconds; ++runs)
    if (!try_input(mutator.next(), current)) return 1;
  fmt::print("{} inputs in {:.1f} s\n", runs, seconds_since(start));
  return 0;
}
