#include "saccade/tune/pictures.h"

#include <algorithm>

#include "saccade/base/error.h"
#include "saccade/data/loader.h"
#include "saccade/data/picture_tree.h"
#include "saccade/data/tar.h"
#include "saccade/image/preprocess.h"
#include "saccade/tasks/batch.h"
#include "saccade/tasks/class_map.h"
#include "saccade/tasks/evaluate.h"

namespace saccade::tune {
namespace {

namespace fs = std::filesystem;

/// Pictures at any depth of a folder or a tar, without classes.
class LoosePictures : public data::ImageDataset {
 public:
  LoosePictures(fs::path path, const image::DecodeOptions& options)
      : path_(std::move(path)), options_(options) {
    if (!fs::is_directory(path_)) archive_ = data::TarFile::open(path_);
    leaves_ = (archive_ ? data::list_archive(*archive_) : data::list_folder(path_)).pictures;
    if (leaves_.empty()) throw input_error(path_.string(), "holds no .jpg, .jpeg or .png file");
  }
  int64_t size() const override { return static_cast<int64_t>(leaves_.size()); }
  int64_t label(int64_t) const override { return 0; }
  const std::vector<std::string>& classes() const override { return classes_; }
  std::string name(int64_t index) const override {
    return (path_ / leaves_[static_cast<size_t>(index)].path).string();
  }
  image::Image image(int64_t index) const override {
    const auto& leaf = leaves_[static_cast<size_t>(index)];
    return archive_ ? image::decode(leaf.bytes, options_, name(index))
                    : image::read_image(path_ / leaf.path, options_);
  }

 private:
  fs::path path_;
  image::DecodeOptions options_;
  std::shared_ptr<const data::TarFile> archive_;
  std::vector<data::Leaf> leaves_;
  std::vector<std::string> classes_;
};

std::shared_ptr<const data::ImageDataset> open_pictures(const fs::path& path,
                                                        const image::DecodeOptions& options) {
  const auto splits = data::image_dataset_splits(path);
  const bool several = splits.size() > 1;
  const bool has_train = std::ranges::find(splits, "train") != splits.end();
  try {
    return data::open_image_dataset(path, several && has_train ? "train" : "", options);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_input || !fs::exists(path)) throw;
    return std::make_shared<LoosePictures>(path, options);
  }
}

/// The plan's one input of pictures.
const plan::Value& picture_input(const plan::Graph& graph) {
  const plan::Value* input = nullptr;
  for (const auto& value : graph.values) {
    if (value.kind != plan::ValueKind::input) continue;
    if (input) throw usage_error("a plan with several inputs cannot be calibrated on pictures");
    input = &value;
  }
  if (!input || input->type.dtype != DType::F32 || input->type.dims.size() != 4)
    throw usage_error("the plan takes no pictures, so it cannot be calibrated on any");
  return *input;
}

/// Classes of the output "logits"; 0 without one.
int64_t class_count(const plan::Graph& graph) {
  for (const auto& output : graph.outputs) {
    const auto& dims = graph.value(output.value).type.dims;
    if (output.name == "logits" && dims.size() == 2 && !dims[1].batch) return dims[1].size;
  }
  return 0;
}

}  // namespace

Pictures::Pictures(const fs::path& path, const plan::Plan& plan, int64_t count)
    : name_(fs::absolute(path).lexically_normal().filename().string()),
      expected_(picture_input(plan.graph).type.dims) {
  if (!plan.info.pipeline)
    throw usage_error("the plan says nothing about preprocessing, so pictures are of no use");
  pipeline_ = *plan.info.pipeline;
  dataset_ = open_pictures(path, {.apply_exif_orientation = pipeline_.apply_exif_orientation});
  for (const auto& pick : tasks::spread_evenly(dataset_->size(), count))
    indices_.push_back(pick.index);
  if (indices_.empty()) throw input_error(path.string(), "holds no pictures");
  size_ = static_cast<int64_t>(indices_.size());
  const int64_t classes = class_count(plan.graph);
  if (dataset_->classes().empty() || classes == 0) {
    why_unlabelled_ = classes == 0 ? "the model gives no class scores" : "there are no classes";
    return;
  }
  try {
    const auto map =
        tasks::match_classes(dataset_->classes(), plan.info.labels, classes, path.string());
    for (const int64_t index : indices_)
      truth_.push_back(map.model_class[static_cast<size_t>(dataset_->label(index))]);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    why_unlabelled_ = error.what();
  }
}

HostTensor Pictures::load(int64_t index) const {
  auto picture = image::preprocess(dataset_->image(index), pipeline_);
  const auto& shape = picture.shape();
  bool fits = shape.size() == 3;
  for (size_t i = 0; fits && i < 3; ++i) fits = shape[i] == expected_[i + 1].size;
  if (!fits)
    throw usage_error("{}: preprocessed it is {}; the plan takes {}", dataset_->name(index),
                      to_string(shape), to_string(expected_));
  return picture;
}

void Pictures::for_each(int64_t batch, int64_t limit,
                        const std::function<void(const Batch& batch)>& visit) const {
  data::Loader<HostTensor> loader(
      tasks::spread_evenly(size_, limit), {.batch_size = batch},
      [&](const data::Pick& pick) { return load(indices_[static_cast<size_t>(pick.index)]); });
  std::vector<int64_t> truth;
  while (const auto next = loader.next()) {
    truth.clear();
    for (const auto& pick : next->picks)
      if (labelled()) truth.push_back(truth_[static_cast<size_t>(pick.index)]);
    visit({tasks::stack(next->samples), truth});
  }
}

}  // namespace saccade::tune
