#pragma once
// One execution of a model as libtorch's observer saw it: the outermost operators whose operands
// depend on the inputs. Everything else (weights, tables, masks made from sizes alone) is a leaf
// with the value that it had when it was used.

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "saccade/models/model.h"

namespace saccade::trace {

/// A tensor in the place of an operand or a result: a traced value or a leaf, by number.
struct Use {
  int32_t value = -1;
  int32_t leaf = -1;
  at::ScalarType dtype = at::kFloat;
  Shape shape;
  [[nodiscard]] bool absent() const { return value < 0 && leaf < 0; }
};

using Argument = std::variant<std::monostate, Use, std::vector<Use>, int64_t, double, bool,
                              std::vector<int64_t>, std::vector<double>, std::string>;

struct Event {
  std::string op;    ///< "aten::add"; a variant that writes in place ends in "_"
  std::string path;  ///< module
  std::vector<Argument> arguments;
  std::vector<Use> results;
};

struct Leaf {
  at::Tensor tensor;  ///< nobody writes it any more
  std::string name;   ///< of a parameter or buffer
};

struct Run {
  int64_t batch = 0;
  std::vector<std::pair<std::string, Use>> inputs;
  std::vector<std::pair<std::string, Use>> outputs;
  std::vector<Event> events;
  std::vector<Leaf> leaves;
  NamedTensors given;     ///< the inputs
  NamedTensors answered;  ///< the outputs
};

struct RecordOptions {
  int64_t batch = 1;
  /// Outputs to keep; empty: all.
  std::vector<std::string> outputs = {};
  /// Results of modules, by path, and taps (nn/module.h) that become outputs behind the others.
  std::vector<std::string> taps = {};
};

/// Runs the model in evaluation mode. Throws Error: not_supported naming the module where a value
/// is read out or a traced tensor is written through an alias; usage for a tap that is not there.
[[nodiscard]] Run record(models::Model& model, const models::Inputs& inputs,
                         const RecordOptions& options);

}  // namespace saccade::trace
