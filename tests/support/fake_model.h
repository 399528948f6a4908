#pragma once
// Task verbs inside this process, with a model of our own in the place of a checkpoint.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "apps/cli/verb.h"
#include "tests/support/fake_engine.h"
#include "tests/support/run.h"

namespace saccade::test {

/// Runs one verb with a model whose class is the picture's first red value, modulo `classes`.
inline RunResult run_with_fake_model(const cli::Verb& verb, std::vector<std::string> arguments,
                                     int64_t classes, std::vector<std::string> labels = {}) {
  cli::OpenedModel model;
  model.engine = std::make_shared<FakeEngine>(classes);
  model.pipeline.resize = ResizeRule::exact;
  model.pipeline.resize_height = model.pipeline.resize_width = 4;
  model.pipeline.crop_height = model.pipeline.crop_width = 4;
  model.pipeline.do_normalize = false;
  model.labels = std::move(labels);
  model.name = "fake";

  arguments.insert(arguments.begin(), {"saccade", std::string(verb.name)});
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  cli::Program program;
  program.name = "saccade";
  program.argc = static_cast<int>(argv.size());
  program.argv = argv.data();
  program.open_model = [&](const cli::ModelArgs&) { return model; };

  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  RunResult result;
  result.code = cli::run_program(program, std::span(&verb, 1));
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  return result;
}

}  // namespace saccade::test
