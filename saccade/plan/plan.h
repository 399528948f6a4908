#pragma once
// The compiled file (docs/formats/plan.md): plain data, summed, verified on open, nothing in it is
// executed. Weights lie in it as the kernels read them and are used straight from the map.

#include <filesystem>
#include <optional>

#include "saccade/base/json.h"
#include "saccade/base/pipeline.h"
#include "saccade/plan/graph.h"

namespace saccade::plan {

inline constexpr uint32_t kVersion = 2;

/// What there is to know beside the graph.
struct Info {
  std::string name;               ///< of the model
  std::string task = "classify";  ///< which verb it serves
  std::string precision = "fp32";
  bool raw = false;  ///< as traced, not compiled
  bool random_weights = false;
  std::optional<Pipeline> pipeline;
  std::vector<std::string> labels;
  Json report = Json::object();      ///< precision by layer and why
  Json provenance = Json::object();  ///< where it comes from: program, version, source, options
};

/// Inputs and what the traced model answered, for checking what is compiled from it.
struct Recording {
  NamedTensors inputs;
  NamedTensors outputs;
};

/// The model for inputs of one size.
struct Bucket {
  Graph graph;
  std::vector<Recording> recordings;
};

/// A plan is its first bucket, the size that the pipeline makes, and what it has beside it.
struct Plan : Bucket {
  Info info;
  std::vector<Bucket> others;  ///< the same inputs in other sizes, the same outputs
};

/// All buckets, the first one first. They live as long as the plan.
[[nodiscard]] std::vector<const Bucket*> buckets(const Plan& plan);
[[nodiscard]] std::vector<Bucket*> buckets(Plan& plan);

/// [height, width] of the first input if that is pictures [N, C, height, width].
[[nodiscard]] std::optional<std::pair<int64_t, int64_t>> picture_size(const Graph& graph);

/// Lets constants with equal bytes lie in memory once.
void share_constants(Plan& plan);

/// The first problem of any of its graphs, or of their differences: inputs and outputs have the
/// same names and types but for sizes, and no two graphs take inputs of the same size.
[[nodiscard]] std::string find_problem(const Plan& plan);

/// Where the weights of an opened plan lie.
enum class Residence : uint8_t {
  mapped,     ///< in the file's map: the first answer comes soonest, processes share them
  read,       ///< in memory of their own: faster in large pages, and the file may change
  automatic,  ///< for many answers: read if the plan is large and the system has large pages
};

struct OpenOptions {
  Residence residence = Residence::mapped;
};

/// Every check but the SHA-256: magic, version, section table, sums of all sections and of each
/// MiB of weights (on all threads), offsets, operators, types, row numbers.
/// Throws Error: bad_input with file, offset and reason; not_supported for another version.
[[nodiscard]] Plan open(const std::filesystem::path& path, const OpenOptions& options = {});
/// The same from memory that `owner` keeps alive; copied if it is not aligned to 64 bytes.
[[nodiscard]] Plan parse(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                         std::string_view file);
/// The SHA-256 that an opened plan's file carries, as hexadecimal digits, after comparing it with
/// the file's bytes. Throws Error (bad_input) if they have another.
[[nodiscard]] std::string check_digest(const std::filesystem::path& path);
/// True if the bytes begin as a plan does.
[[nodiscard]] bool is_plan(std::span<const std::byte> bytes);
[[nodiscard]] bool is_plan(const std::filesystem::path& path);

/// Writes the file so that it is there completely or not at all. The graph has no problem.
void write(const Plan& plan, const std::filesystem::path& path);
/// The same bytes in memory.
[[nodiscard]] std::vector<std::byte> serialize(const Plan& plan);

[[nodiscard]] Json to_json(const Info& info);
/// Exactly what to_json writes; Error (bad_input) for anything else.
[[nodiscard]] Info info_from_json(const Json& json, std::string_view where);

}  // namespace saccade::plan
