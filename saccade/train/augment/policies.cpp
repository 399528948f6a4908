#include "saccade/train/augment/policies.h"

namespace saccade::train {
namespace {

using Policy = std::vector<std::vector<PolicyOp>>;

const Policy kV0{{{"Equalize", 0.8, 1}, {"ShearY", 0.8, 4}},
                 {{"Color", 0.4, 9}, {"Equalize", 0.6, 3}},
                 {{"Color", 0.4, 1}, {"Rotate", 0.6, 8}},
                 {{"Solarize", 0.8, 3}, {"Equalize", 0.4, 7}},
                 {{"Solarize", 0.4, 2}, {"Solarize", 0.6, 2}},
                 {{"Color", 0.2, 0}, {"Equalize", 0.8, 8}},
                 {{"Equalize", 0.4, 8}, {"SolarizeAdd", 0.8, 3}},
                 {{"ShearX", 0.2, 9}, {"Rotate", 0.6, 8}},
                 {{"Color", 0.6, 1}, {"Equalize", 1.0, 2}},
                 {{"Invert", 0.4, 9}, {"Rotate", 0.6, 0}},
                 {{"Equalize", 1.0, 9}, {"ShearY", 0.6, 3}},
                 {{"Color", 0.4, 7}, {"Equalize", 0.6, 0}},
                 {{"Posterize", 0.4, 6}, {"AutoContrast", 0.4, 7}},
                 {{"Solarize", 0.6, 8}, {"Color", 0.6, 9}},
                 {{"Solarize", 0.2, 4}, {"Rotate", 0.8, 9}},
                 {{"Rotate", 1.0, 7}, {"TranslateYRel", 0.8, 9}},
                 {{"ShearX", 0.0, 0}, {"Solarize", 0.8, 4}},
                 {{"ShearY", 0.8, 0}, {"Color", 0.6, 4}},
                 {{"Color", 1.0, 0}, {"Rotate", 0.6, 2}},
                 {{"Equalize", 0.8, 4}, {"Equalize", 0.0, 8}},
                 {{"Equalize", 1.0, 4}, {"AutoContrast", 0.6, 2}},
                 {{"ShearY", 0.4, 7}, {"SolarizeAdd", 0.6, 7}},
                 {{"Posterize", 0.8, 2}, {"Solarize", 0.6, 10}},
                 {{"Solarize", 0.6, 8}, {"Equalize", 0.6, 1}},
                 {{"Color", 0.8, 6}, {"Rotate", 0.4, 5}}};

const Policy kOriginal{{{"PosterizeOriginal", 0.4, 8}, {"Rotate", 0.6, 9}},
                       {{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
                       {{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}},
                       {{"PosterizeOriginal", 0.6, 7}, {"PosterizeOriginal", 0.6, 6}},
                       {{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},
                       {{"Equalize", 0.4, 4}, {"Rotate", 0.8, 8}},
                       {{"Solarize", 0.6, 3}, {"Equalize", 0.6, 7}},
                       {{"PosterizeOriginal", 0.8, 5}, {"Equalize", 1.0, 2}},
                       {{"Rotate", 0.2, 3}, {"Solarize", 0.6, 8}},
                       {{"Equalize", 0.6, 8}, {"PosterizeOriginal", 0.4, 6}},
                       {{"Rotate", 0.8, 8}, {"Color", 0.4, 0}},
                       {{"Rotate", 0.4, 9}, {"Equalize", 0.6, 2}},
                       {{"Equalize", 0.0, 7}, {"Equalize", 0.8, 8}},
                       {{"Invert", 0.6, 4}, {"Equalize", 1.0, 8}},
                       {{"Color", 0.6, 4}, {"Contrast", 1.0, 8}},
                       {{"Rotate", 0.8, 8}, {"Color", 1.0, 2}},
                       {{"Color", 0.8, 8}, {"Solarize", 0.8, 7}},
                       {{"Sharpness", 0.4, 7}, {"Invert", 0.6, 8}},
                       {{"ShearX", 0.6, 5}, {"Equalize", 1.0, 9}},
                       {{"Color", 0.4, 0}, {"Equalize", 0.6, 3}},
                       {{"Equalize", 0.4, 7}, {"Solarize", 0.2, 4}},
                       {{"Solarize", 0.6, 5}, {"AutoContrast", 0.6, 5}},
                       {{"Invert", 0.6, 4}, {"Equalize", 1.0, 8}},
                       {{"Color", 0.6, 4}, {"Contrast", 1.0, 8}},
                       {{"Equalize", 0.8, 8}, {"Equalize", 0.6, 3}}};

const Policy k3a{
    {{"Solarize", 1.0, 5}}, {{"Desaturate", 1.0, 10}}, {{"GaussianBlurRand", 1.0, 10}}};

/// The same with the posterize of the research implementation: fewer bits at higher levels.
Policy with_posterize_increasing(Policy policy) {
  for (auto& steps : policy)
    for (auto& step : steps)
      if (step.op.starts_with("Posterize")) step.op = "PosterizeIncreasing";
  return policy;
}

const std::vector<WeightedOp> kRand{
    {"AutoContrast"}, {"Equalize"},    {"Invert"}, {"Rotate"},        {"Posterize"},
    {"Solarize"},     {"SolarizeAdd"}, {"Color"},  {"Contrast"},      {"Brightness"},
    {"Sharpness"},    {"ShearX"},      {"ShearY"}, {"TranslateXRel"}, {"TranslateYRel"}};
const std::vector<WeightedOp> kRandIncreasing{{"AutoContrast"},
                                              {"Equalize"},
                                              {"Invert"},
                                              {"Rotate"},
                                              {"PosterizeIncreasing"},
                                              {"SolarizeIncreasing"},
                                              {"SolarizeAdd"},
                                              {"ColorIncreasing"},
                                              {"ContrastIncreasing"},
                                              {"BrightnessIncreasing"},
                                              {"SharpnessIncreasing"},
                                              {"ShearX"},
                                              {"ShearY"},
                                              {"TranslateXRel"},
                                              {"TranslateYRel"}};
const std::vector<WeightedOp> kRand3a{{"SolarizeIncreasing"}, {"Desaturate"}, {"GaussianBlur"}};
const std::vector<WeightedOp> kRandWeighted3a{{"SolarizeIncreasing", 6},
                                              {"Desaturate", 6},
                                              {"GaussianBlur", 6},
                                              {"Rotate", 3},
                                              {"ShearX", 2},
                                              {"ShearY", 2},
                                              {"PosterizeIncreasing", 1},
                                              {"AutoContrast", 1},
                                              {"ColorIncreasing", 1},
                                              {"SharpnessIncreasing", 1},
                                              {"ContrastIncreasing", 1},
                                              {"BrightnessIncreasing", 1},
                                              {"Equalize", 1},
                                              {"Invert", 1}};
const std::vector<WeightedOp> kRandWeighted{{"Rotate", 3},
                                            {"ShearX", 2},
                                            {"ShearY", 2},
                                            {"TranslateXRel", 1},
                                            {"TranslateYRel", 1},
                                            {"ColorIncreasing", 0.25},
                                            {"SharpnessIncreasing", 0.25},
                                            {"AutoContrast", 0.25},
                                            {"SolarizeIncreasing", 0.05},
                                            {"SolarizeAdd", 0.05},
                                            {"ContrastIncreasing", 0.05},
                                            {"BrightnessIncreasing", 0.05},
                                            {"Equalize", 0.05},
                                            {"PosterizeIncreasing", 0.05},
                                            {"Invert", 0.05}};

}  // namespace

Policy auto_augment_policy(std::string_view name) {
  if (name == "v0") return kV0;
  if (name == "v0r") return with_posterize_increasing(kV0);
  if (name == "original") return kOriginal;
  if (name == "originalr") return with_posterize_increasing(kOriginal);
  if (name == "3a") return k3a;
  return {};
}

const std::vector<WeightedOp>& rand_augment_choices(std::string_view set, bool increasing) {
  if (set == "weights") return kRandWeighted;
  if (set == "3aw") return kRandWeighted3a;
  if (set == "3a") return kRand3a;
  return increasing ? kRandIncreasing : kRand;
}

}  // namespace saccade::train
