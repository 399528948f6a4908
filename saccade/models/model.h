#pragma once
// What every model of the zoo is to the rooms outside: named tensors in, named tensors out.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/tensor.h"
#include "saccade/nn/module.h"

namespace saccade::models {

/// Named tensors in a fixed order, for instance {"images": [B, 3, H, W]} or {"logits": [B, C]}.
class TensorMap {
 public:
  TensorMap() = default;
  TensorMap(std::initializer_list<std::pair<std::string, torch::Tensor>> items) : items_(items) {}
  void set(std::string name, torch::Tensor value);
  [[nodiscard]] bool contains(std::string_view name) const;
  /// Throws InternalError naming what there is.
  [[nodiscard]] const torch::Tensor& operator[](std::string_view name) const;
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }

 private:
  std::vector<std::pair<std::string, torch::Tensor>> items_;
};
using Inputs = TensorMap;
using Outputs = TensorMap;

/// A tensor that follows from the configuration and yet lies in the checkpoints of some dialects
/// (Swin's masks and index tables). It is no part of the model.
struct DerivedTensor {
  std::string name;  ///< official
  Shape shape;
  std::function<HostTensor()> value;
};

/// How weights of another configuration of the same system are fitted to this one.
struct Adaptation {
  /// The reference procedure: "timm" (checkpoint_filter_fn), "deit" (main.py --finetune),
  /// "official" (Swin's utils.load_pretrained).
  std::string procedure;
};

/// Built by registry.h only, as shared_ptr. Parameter names are the official checkpoint's.
class Model : public nn::Module {
 public:
  /// Training mode and evaluation mode as in the reference (is_training()).
  virtual Outputs forward(const Inputs& inputs) = 0;
  /// Draws initial weights as the reference does, from torch's default generator.
  virtual void init_weights() = 0;
  /// Parameters without weight decay beside those of one dimension or fewer.
  [[nodiscard]] virtual std::vector<std::string> no_weight_decay() const { return {}; }
  /// Layer id for layer-wise decay: 0 is the stem, the head has the largest.
  [[nodiscard]] virtual int64_t layer_id(std::string_view parameter) const = 0;
  [[nodiscard]] virtual int64_t num_classes() const { return 0; }
  /// In the order of the reference's constructor; most systems have none.
  [[nodiscard]] virtual std::vector<DerivedTensor> derived() const { return {}; }
  /// What adapt() knows, the default first.
  [[nodiscard]] virtual std::vector<std::string> procedures() const { return {"timm", "deit"}; }
  /// The state fitted to this model's shapes. Throws Error (not_supported) for an unknown
  /// procedure.
  [[nodiscard]] virtual NamedTensors adapt(const NamedTensors& state, const Adaptation& how) const;
  /// Why weights of this system in other shapes (another picture size, another window) do not fit
  /// this model, and what to do about it; "" if that is not it.
  [[nodiscard]] virtual std::string misfit(const NamedTensors&) const { return ""; }
};

}  // namespace saccade::models
