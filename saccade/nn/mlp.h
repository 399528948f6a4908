#pragma once
// The two-layer perceptron of a transformer block.

#include "saccade/nn/drop.h"
#include "saccade/nn/layers.h"

namespace saccade::nn {

struct MlpOptions {
  int64_t dim = 0;
  int64_t hidden = 0;
  std::string act = "gelu";
  double drop = 0.0;  ///< after the activation and after fc2
};

struct Mlp : Module {
  explicit Mlp(MlpOptions mlp) : options(std::move(mlp)) {}
  Tensor forward(const Tensor& x) {                     // [..., C]
    const auto hidden = activate(options.act, fc1(x));  // [..., hidden]
    return drop2(fc2(drop1(hidden)));                   // [..., C]
  }

  MlpOptions options;
  Child<Linear> fc1{this, "fc1", options.dim, options.hidden};
  Child<Dropout> drop1{this, "drop1", options.drop};
  Child<Linear> fc2{this, "fc2", options.hidden, options.dim};
  Child<Dropout> drop2{this, "drop2", options.drop};
};

}  // namespace saccade::nn
