#include "apps/cli/inspection.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <map>
#include <ostream>

#include "apps/cli/output.h"
#include "apps/cli/plan_inspection.h"
#include "apps/cli/precision.h"
#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/pipeline.h"
#include "saccade/base/sha256.h"
#include "saccade/base/utf8.h"
#include "saccade/checkpoint/row_major.h"
#include "saccade/checkpoint/shard_index.h"
#include "saccade/image/decode.h"
#include "saccade/models/describe.h"
#include "saccade/plan/plan.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;
using checkpoint::Checkpoint;
using checkpoint::Entry;

constexpr size_t kMaxConfig = size_t{4} << 20;  // bytes of a JSON file
constexpr size_t kShownValue = 60;              // columns of a metadata value
constexpr size_t kShownMetadata = 40;           // lines

std::string lower_extension(const fs::path& path) {
  auto extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

bool names_picture(const std::string& extension) {
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

Inspection inspect_picture(const FileMap& file, const InspectOptions& options) {
  const auto name = file.path().string();
  const auto info = image::probe(file.bytes(), name);
  const auto rows = image::open_rows(file.bytes(), {options.max_pixels, false}, name);
  if (options.hash) {
    constexpr int64_t kRows = 64;
    std::vector<uint8_t> buffer(static_cast<size_t>(rows->width() * 3 * kRows));
    for (int64_t y = 0; y < rows->height(); y += kRows)
      rows->read(buffer.data(), std::min(kRows, rows->height() - y));
  }
  Inspection inspection;
  inspection.format = info.format;
  inspection.metadata = {{"width", info.width},
                         {"height", info.height},
                         {"channels", info.channels},
                         {"bit_depth", info.bit_depth}};
  return inspection;
}

/// Which kind of configuration the keys show, "" for none.
std::string config_format(const Json& json) {
  const auto has = [&](const char* key) { return json.contains(key); };
  if (has("model_type")) return "huggingface-config";
  if (has("architecture")) return "timm-config";
  if (has("system")) return "saccade-config";
  if (has("image_processor_type") || has("feature_extractor_type") || has("image_mean") ||
      has("do_resize"))
    return "huggingface-preprocessor";
  if (has("input_size") || has("crop_pct")) return "timm-data";
  return has("resize_height") && has("crop_height") ? "saccade-pipeline" : "";
}

/// As a configuration of a model or pipeline that Saccade has.
void check_config(const Json& json, const std::string& format, const std::string& file) {
  try {
    if (format.ends_with("-config")) {
      static_cast<void>(models::describe_config(json, file));
    } else {
      static_cast<void>(pipeline_from_any(json, file));
    }
  } catch (const Error& error) {  // a name that is nothing of ours is no usage error here
    if (error.kind() != ErrorKind::usage) throw;
    throw input_error(file, "{}", error.what());
  }
}

Inspection inspect_config(const fs::path& path) {
  const auto file = path.string();
  Inspection inspection;
  inspection.metadata = parse_json(read_text(path, kMaxConfig), file);
  if (!inspection.metadata.is_object())
    throw input_error_at(file, 0, "a configuration must be a JSON object");
  inspection.format = config_format(inspection.metadata);
  if (inspection.format.empty())
    throw input_error_at(
        file, 0,
        "JSON, but neither the configuration of a model (model_type, architecture) "
        "nor of its preprocessing (image_processor_type, input_size)");
  check_config(inspection.metadata, inspection.format, file);
  return inspection;
}

std::string hash_of(const TensorView& view) {
  Sha256 hash;
  checkpoint::stream_row_major(view, [&](auto bytes) { hash.update(bytes); });
  return hash.hex();
}

/// Paths of tensors that share their bytes, in groups of two or more.
Json shared_storage(const std::vector<Entry>& entries) {
  std::map<uint32_t, std::vector<const Entry*>> groups;
  for (const auto& entry : entries)
    if (entry.storage) groups[*entry.storage].push_back(&entry);
  Json out = Json::array();
  for (const auto& [storage, members] : groups) {
    if (members.size() < 2) continue;
    Json paths = Json::array();
    for (const auto* entry : members) paths.push_back(entry->path);
    out.push_back(std::move(paths));
  }
  return out;
}

Json tensor_json(const Entry& entry, bool hash) {
  Json json{{"path", entry.path},
            {"name", entry.name ? Json(*entry.name) : Json(nullptr)},
            {"dtype", name(entry.view.dtype)},
            {"shape", entry.view.shape}};
  if (hash) json["sha256"] = hash_of(entry.view);
  if (entry.parameter) json["parameter"] = true;
  if (entry.requires_grad) json["requires_grad"] = true;
  if (entry.numpy) json["numpy"] = true;
  return json;
}

int64_t byte_count(const Entry& entry) {
  return (entry.view.numel() * bits(entry.view.dtype) + 7) / 8;
}

std::string shown(const Json& value) {
  auto text =
      printable(value.is_string() ? value.get_ref<const std::string&>()
                                  : value.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (text.size() <= kShownValue) return text;
  size_t end = kShownValue;  // not inside a UTF-8 sequence
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return fmt::format("{}... ({} bytes)", text.substr(0, end), text.size());
}

void write_metadata(const Json& metadata, std::ostream& out) {
  if (metadata.empty()) return;
  out << "\nmetadata\n";
  Table table({{""}, {""}});
  size_t left = kShownMetadata;
  for (const auto& [key, value] : metadata.items()) {
    if (left-- == 0) break;
    table.add({"  " + shown(key), shown(value)});
  }
  out << table.text();
  if (metadata.size() > kShownMetadata)
    out << fmt::format("  ... and {} more (--json lists all)\n", metadata.size() - kShownMetadata);
}

void write_tensors(const Checkpoint& checkpoint, bool hash, std::ostream& out) {
  std::vector<Table::Column> columns{{"tensor"}, {"dtype"}, {"shape"}, {"size", Align::right}};
  if (hash) columns.push_back({"sha256"});
  Table table(columns);
  int64_t elements = 0, size = 0;
  for (const auto& entry : checkpoint.entries()) {
    std::vector<std::string> row{shown(entry.name.value_or(entry.path)),
                                 std::string(name(entry.view.dtype)), to_string(entry.view.shape),
                                 bytes_text(static_cast<double>(byte_count(entry)))};
    if (!entry.name) row[0] = fmt::format("({})", row[0]);
    if (hash) row.push_back(hash_of(entry.view));
    table.add(std::move(row));
    elements += entry.view.numel();
    size += byte_count(entry);
  }
  if (!checkpoint.entries().empty()) out << table.text() << '\n';
  const auto count = checkpoint.entries().size();
  out << fmt::format("{} {}, {} elements, {}", count, count == 1 ? "tensor" : "tensors",
                     with_unit(static_cast<double>(elements)),
                     bytes_text(static_cast<double>(size)));
  if (!checkpoint.wrapper().empty())
    out << fmt::format("; named as in \"{}\", (others) by their path", checkpoint.wrapper());
  out << '\n';
  for (const auto& [path, reason] : checkpoint.left_out())
    out << fmt::format("left out: \"{}\": {}\n", shown(path), reason);
  const auto shared = shared_storage(checkpoint.entries());
  if (!shared.empty())
    out << fmt::format("{} groups of tensors share their bytes\n", shared.size());
}

/// Tensors of a file that is no checkpoint.
void write_rows(const Json& tensors, bool hash, std::ostream& out) {
  std::vector<Table::Column> columns{{"tensor"}, {"dtype"}, {"shape"}, {"layout"}};
  if (hash) columns.push_back({"sha256"});
  Table table(columns);
  for (const auto& tensor : tensors) {
    const auto shape = tensor.at("shape").get<Shape>();
    std::vector<std::string> row{
        shown(tensor.at("name").is_null() ? tensor.at("path") : tensor.at("name")),
        tensor.at("dtype").get<std::string>(), to_string(shape),
        tensor.at("layout").get<std::string>()};
    if (hash) row.push_back(tensor.at("sha256").get<std::string>());
    table.add(std::move(row));
  }
  out << table.text();
}

Inspection inspect_any(const fs::path& path, const InspectOptions& options) {
  const auto extension = lower_extension(path);
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    if (extension == ".json" && !checkpoint::is_shard_index(path)) return inspect_config(path);
    const auto file = FileMap::open(path);
    if (plan::is_plan(file->bytes())) return inspect_plan(path, options);
    if (names_picture(extension) || image::looks_like_image(file->bytes()))
      return inspect_picture(*file, options);
  }
  Inspection inspection;
  inspection.checkpoint = Checkpoint::open(path);
  inspection.format = inspection.checkpoint->format();
  if (options.hash) inspection.checkpoint->verify();
  return inspection;
}

}  // namespace

Inspection inspect(const fs::path& path, const InspectOptions& options) {
  try {
    return inspect_any(path, options);
  } catch (const Error& error) {  // whatever a reader calls it, here it is the file
    if (error.kind() != ErrorKind::not_supported && error.kind() != ErrorKind::resources) throw;
    throw Error(ErrorKind::bad_input, error.what());
  } catch (const std::bad_alloc&) {
    throw input_error(path.string(), "takes more memory than there is");
  }
}

void write_json(const Inspection& inspection, const InspectOptions& options, std::ostream& out) {
  const auto dump = [](const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  out << fmt::format("{{\"format\":{},\"tensors\":[", dump(inspection.format));
  const auto* opened = inspection.checkpoint ? &*inspection.checkpoint : nullptr;
  if (opened != nullptr) {
    std::string_view separator = "\n";  // one tensor a line, written as it is hashed
    for (const auto& entry : opened->entries()) {
      out << separator << dump(tensor_json(entry, options.hash));
      separator = ",\n";
    }
  }
  std::string_view separator = "\n";
  for (const auto& tensor : inspection.tensors) {
    out << separator << dump(tensor);
    separator = ",\n";
  }
  out << "],\n\"metadata\":" << dump(opened != nullptr ? opened->metadata() : inspection.metadata);
  if (opened != nullptr) {
    if (!opened->wrapper().empty()) out << ",\n\"wrapper\":" << dump(opened->wrapper());
    if (const auto shared = shared_storage(opened->entries()); !shared.empty())
      out << ",\n\"shared_storage\":" << dump(shared);
    Json left_out = Json::array();
    for (const auto& [path, reason] : opened->left_out())
      left_out.push_back({{"path", path}, {"reason", reason}});
    if (!left_out.empty()) out << ",\n\"left_out\":" << dump(left_out);
  }
  out << "}\n";
}

void write_text(const Inspection& inspection, const InspectOptions& options, std::ostream& out) {
  out << inspection.format << '\n';
  if (inspection.checkpoint) {
    write_tensors(*inspection.checkpoint, options.hash, out << '\n');
    write_metadata(inspection.checkpoint->metadata(), out);
  } else {
    if (!inspection.tensors.empty()) write_rows(inspection.tensors, options.hash, out << '\n');
    write_metadata(inspection.metadata, out);
    if (inspection.metadata.contains("report"))
      out << '\n' << report_text(inspection.metadata["report"]);
  }
}

}  // namespace saccade::cli
