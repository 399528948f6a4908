#include "saccade/trace/record.h"

#include <algorithm>
#include <map>
#include <set>

#include <ATen/core/function_schema.h>
#include <ATen/record_function.h>

#include "saccade/base/error.h"
#include "saccade/base/suggest.h"
#include "saccade/nn/host.h"

namespace saccade::trace {
namespace {

/// A tensor is known by where its numbers lie, not by its object: views and copies of the handle
/// come and go.
struct Place {
  const void* storage;
  int64_t offset;
  std::vector<int64_t> sizes, strides;
  auto operator<=>(const Place&) const = default;
};

Place place_of(const at::Tensor& tensor) {
  return {tensor.storage().unsafeGetStorageImpl(), tensor.storage_offset(), tensor.sizes().vec(),
          tensor.strides().vec()};
}

class Recorder {
 public:
  Recorder(Run& run, const models::Model& model) : run_(run) {
    for (const auto& [name, tensor] : nn::named_state(model))
      parameters_.emplace(tensor.storage().unsafeGetStorageImpl(), name);
  }

  Use add_value(const at::Tensor& tensor) {
    Use use{next_++, -1, tensor.scalar_type(), nn::shape_of(tensor)};
    values_[place_of(tensor)] = use.value;
    storages_.insert(tensor.storage().unsafeGetStorageImpl());
    keep_.push_back(tensor);
    return use;
  }

  Use find(const at::Tensor& tensor) {
    if (!tensor.defined()) return {};
    Use use{-1, -1, tensor.scalar_type(), nn::shape_of(tensor)};
    const auto it = values_.find(place_of(tensor));
    if (it != values_.end())
      use.value = it->second;
    else if (storages_.contains(tensor.storage().unsafeGetStorageImpl()))
      throw unsupported_error(
          "{}: uses a part of a traced tensor that no traced operator gave (a view made behind the "
          "tracer's back, or a tensor written through a view)",
          nn::current_path());
    else
      use.leaf = add_leaf(tensor);
    return use;
  }

  void begin(const at::RecordFunction& function) {
    if (depth_++ > 0 || failed_) return;
    guard([&] { read_arguments(function); });
  }

  void end(const at::RecordFunction& function) {
    if (--depth_ > 0 || failed_) return;
    guard([&] { finish(function); });
  }

  /// Does something of our own, which is not part of the model; what it throws is thrown later.
  template <class F>
  void aside(F f) {
    if (!failed_) guard(f);
  }

  /// Exceptions do not cross the observer; the first one is thrown afterwards.
  void rethrow() const {
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  template <class F>
  void guard(F f) {
    ++depth_;  // what we call ourselves is not the model's
    try {
      f();
    } catch (...) {
      failed_ = std::current_exception();
    }
    --depth_;
  }

  int32_t add_leaf(const at::Tensor& tensor) {
    const auto known = parameters_.find(tensor.storage().unsafeGetStorageImpl());
    const bool parameter = known != parameters_.end();
    // Nobody writes parameters meanwhile; anything else may be written after its use.
    run_.leaves.push_back({parameter ? tensor.detach() : tensor.detach().clone(),
                           parameter ? known->second : std::string()});
    keep_.push_back(tensor);
    return static_cast<int32_t>(run_.leaves.size()) - 1;
  }

  static bool reads_out(std::string_view op) {
    return op == "aten::item" || op == "aten::_local_scalar_dense" || op == "aten::is_nonzero" ||
           op == "aten::equal" || op == "aten::allclose";
  }

  bool depends_on_inputs(const c10::IValue& value) const {
    const auto traced = [&](const at::Tensor& t) {
      return t.defined() && storages_.contains(t.storage().unsafeGetStorageImpl());
    };
    if (value.isTensor()) return traced(value.toTensor());
    if (value.isTensorList()) {
      const auto tensors = value.toTensorVector();
      return std::ranges::any_of(tensors, traced);
    }
    if (value.isList())  // of optional tensors, as indexing has them
      for (const c10::IValue& item : value.toListRef())
        if (item.isTensor() && traced(item.toTensor())) return true;
    return false;
  }

  void read_arguments(const at::RecordFunction& function) {
    const auto inputs = function.inputs();
    active_ = std::ranges::any_of(inputs, [&](const auto& v) { return depends_on_inputs(v); });
    if (!active_) return;
    event_ = {};
    event_.op = function.name();
    event_.path = nn::current_path();
    if (reads_out(event_.op))
      throw unsupported_error(
          "{}: reads a value out of a tensor ({}), so the next input may take another path; such a "
          "model cannot be compiled",
          event_.path, event_.op);
    check_writes(function);
    for (const auto& input : inputs) event_.arguments.push_back(argument(input));
  }

  /// An operator may write a traced tensor as long as nobody else sees its numbers.
  void check_writes(const at::RecordFunction& function) {
    const auto schema = function.operator_schema();
    if (!schema) return;
    for (size_t i = 0; i < schema->arguments().size() && i < function.inputs().size(); ++i) {
      const auto* alias = schema->arguments()[i].alias_info();
      const auto& value = function.inputs()[i];
      if (!alias || !alias->isWrite() || !value.isTensor()) continue;
      const auto& tensor = value.toTensor();
      const auto* storage = tensor.storage().unsafeGetStorageImpl();
      const auto here = place_of(tensor);
      const bool whole =
          static_cast<size_t>(tensor.numel()) * tensor.element_size() == tensor.storage().nbytes();
      const bool others = std::ranges::any_of(values_, [&](const auto& known) {
        return known.first.storage == storage && known.first != here;
      });
      if (!whole || others || parameters_.contains(storage))
        throw unsupported_error(
            "{}: {} writes into a tensor that is also seen through a view; write the model without "
            "it (cat, where, mul by a mask)",
            event_.path, event_.op);
    }
  }

  Argument argument(const c10::IValue& value) {
    if (value.isNone()) return {};
    if (value.isTensor()) return find(value.toTensor());
    if (value.isTensorList()) return uses(value.toTensorVector());
    if (value.isInt()) return value.toInt();
    if (value.isDouble()) return value.toDouble();
    if (value.isBool()) return value.toBool();
    if (value.isIntList()) return value.toIntVector();
    if (value.isDoubleList()) return value.toDoubleVector();
    if (value.isString()) return value.toStringRef();
    if (value.isDevice()) return {};
    if (value.isList()) {
      std::vector<at::Tensor> tensors;
      for (const c10::IValue& item : value.toListRef())
        tensors.push_back(item.isTensor() ? item.toTensor() : at::Tensor());
      return uses(tensors);
    }
    throw unsupported_error("{}: {} has an argument of type {}", event_.path, event_.op,
                            value.tagKind());
  }

  std::vector<Use> uses(const std::vector<at::Tensor>& tensors) {
    std::vector<Use> out;
    for (const auto& tensor : tensors) out.push_back(find(tensor));
    return out;
  }

  void finish(const at::RecordFunction& function) {
    if (!active_) return;
    active_ = false;
    for (const auto& output : function.outputs()) {
      if (output.isTensor())
        event_.results.push_back(add_value(output.toTensor()));
      else if (output.isTensorList())
        for (const auto& tensor : output.toTensorVector())
          event_.results.push_back(add_value(tensor));
      else
        throw unsupported_error("{}: {} gives something that is no tensor", event_.path, event_.op);
    }
    run_.events.push_back(std::move(event_));
  }

  Run& run_;
  std::map<Place, int32_t> values_;
  std::set<const void*> storages_;  ///< of traced values
  std::map<const void*, std::string> parameters_;
  std::vector<at::Tensor> keep_;  ///< alive, so that no storage is reused
  int32_t next_ = 0;
  int depth_ = 0;
  bool active_ = false;
  Event event_;
  std::exception_ptr failed_;
};

/// The observer's callbacks are plain functions.
thread_local Recorder* recorder = nullptr;

class Observation {
 public:
  explicit Observation(Recorder& target) {
    recorder = &target;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(
            [](const at::RecordFunction& f) -> std::unique_ptr<at::ObserverContext> {
              recorder->begin(f);
              return nullptr;
            },
            [](const at::RecordFunction& f, at::ObserverContext*) { recorder->end(f); })
            .needsInputs(true)
            .needsOutputs(true)
            .scopes({at::RecordScope::FUNCTION}));
  }
  ~Observation() {
    at::removeCallback(handle_);
    recorder = nullptr;
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

 private:
  at::CallbackHandle handle_;
};

/// An intermediate result that becomes an output: looked up when the model offers it, since the
/// model may write over it afterwards.
struct Tapped {
  Use use;
  HostTensor value;
};

/// Listens to the model while it runs.
class Taps {
 public:
  Taps(Recorder& target, std::span<const std::string> wanted)
      : recorder_(target), wanted_(wanted) {}

  [[nodiscard]] bool wants(const std::string& path) const {
    return std::ranges::find(wanted_, path) != wanted_.end();
  }
  void offer(const std::string& path, const at::Tensor& tensor) {
    offered_.insert(path);
    if (wants(path))
      recorder_.aside([&] { found_[path] = {recorder_.find(tensor), nn::to_host(tensor)}; });
  }
  void add_to(Run& run) const {
    for (const auto& name : wanted_) {
      const auto it = found_.find(name);
      if (it == found_.end()) throw unknown(name);
      run.outputs.emplace_back(name, it->second.use);
      run.answered.emplace_back(name, it->second.value);
    }
  }

 private:
  [[nodiscard]] Error unknown(const std::string& name) const {
    const std::vector<std::string> known(offered_.begin(), offered_.end());
    return usage_error("the model has no intermediate result \"{}\"{} (--taps list prints all)",
                       name, did_you_mean(name, known));
  }

  Recorder& recorder_;
  std::span<const std::string> wanted_;
  std::set<std::string> offered_;
  std::map<std::string, Tapped> found_;
};

}  // namespace

Run record(models::Model& model, const models::Inputs& inputs, const RecordOptions& options) {
  model.eval();
  const torch::NoGradGuard no_grad;
  Run run;
  run.batch = options.batch;
  Recorder target(run, model);
  for (const auto& [name, tensor] : inputs) {
    run.inputs.emplace_back(name, target.add_value(tensor));
    run.given.emplace_back(name, nn::to_host(tensor));
  }
  Taps taps(target, options.taps);
  models::Outputs outputs;
  {
    const Observation observation(target);
    const nn::ObserverScope scope(
        [&](const std::string& path, const at::Tensor& value) { taps.offer(path, value); },
        [&](const std::string& path) { return taps.wants(path); });
    outputs = model.forward(inputs);
  }
  target.rethrow();
  for (const auto& [name, tensor] : outputs) {
    if (!options.outputs.empty() &&
        std::ranges::find(options.outputs, name) == options.outputs.end())
      continue;
    run.outputs.emplace_back(name, target.find(tensor));
    run.answered.emplace_back(name, nn::to_host(tensor));
  }
  taps.add_to(run);
  return run;
}

}  // namespace saccade::trace
