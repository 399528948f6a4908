#pragma once
// An engine whose answer can be told from the picture.

#include <stdexcept>
#include <vector>

#include "saccade/base/engine.h"

namespace saccade::test {

/// Logits of `classes` classes: the class is the picture's first value times 255, modulo `classes`;
/// its logit is 1, the others are 0. Notes the shapes it was given.
class FakeEngine : public Engine {
 public:
  explicit FakeEngine(int64_t classes, std::string output = "logits")
      : classes_(classes), output_(std::move(output)) {}

  NamedTensors run(const NamedTensors& inputs) override {
    const auto* images = find(inputs, "images");
    if (!images) throw std::runtime_error("no images");
    shapes.push_back(images->shape());
    const auto batch = images->shape()[0];
    const auto values = images->as<float>();
    const auto picture = static_cast<size_t>(images->numel() / batch);
    HostTensor logits(DType::F32, {batch, classes_});
    auto out = logits.fill<float>();
    for (size_t i = 0; i < static_cast<size_t>(batch); ++i) {
      const auto value = static_cast<int64_t>(values[i * picture] * 255.0f + 0.5f);
      out[i * static_cast<size_t>(classes_) + static_cast<size_t>(value % classes_)] = answer;
    }
    return {{output_, logits}};
  }

  std::vector<Shape> shapes;
  float answer = 1.0f;

 private:
  int64_t classes_;
  std::string output_;
};

}  // namespace saccade::test
