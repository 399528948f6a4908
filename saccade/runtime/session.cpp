#include "saccade/runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "saccade/base/check.h"
#include "saccade/base/checked.h"
#include "saccade/base/random.h"
#include "saccade/base/thread_pool.h"
#include "saccade/plan/aligned.h"
#include "saccade/runtime/kernel_chain.h"
#include "saccade/runtime/portion.h"

namespace saccade::runtime {
namespace {

using plan::ValueId;
using Clock = std::chrono::steady_clock;

int64_t scratch_of(const Step& step, int threads) {
  return step.kernel->scratch ? step.kernel->scratch(step.bound, threads) : 0;
}

/// What the caller writes and reads: inputs, and the values that own the memory of outputs.
std::set<ValueId> values_of_caller(const Model& model, size_t size) {
  const auto& inputs = model.inputs(size);
  std::set<ValueId> values(inputs.begin(), inputs.end());
  for (const auto& output : model.graph(size).outputs) {
    const ValueId owner = model.memory(size).owner[static_cast<size_t>(output.value)];
    if (!model.graph(size).is_constant(owner)) values.insert(owner);
  }
  return values;
}

/// count * size + total, if there is such a number.
std::optional<int64_t> add_room(std::optional<int64_t> total, int64_t count, int64_t size) {
  const auto room = checked_mul(count, size);
  return total && room ? checked_add(*total, *room) : std::nullopt;
}

}  // namespace

struct Session::Impl {
  /// An operand, or with -1 the result, of a step that lies in an input or output of the batch.
  struct Moving {
    size_t step;
    int operand;
    std::byte* first;
    int64_t stride;  ///< bytes of a portion
  };

  explicit Impl(int threads) : pool(threads) {}
  Pool pool;
  std::shared_ptr<std::byte> arena;
  /// Of a batch in portions: inputs and outputs, by the values that own their memory.
  std::map<ValueId, std::shared_ptr<std::byte>> ports;
  std::vector<Moving> moving;
  std::shared_ptr<std::byte> scratch;
  size_t scratch_size = 0;
  std::vector<Step> steps;
};

Session::Session(std::shared_ptr<const Model> model, const SessionOptions& options)
    : model_(std::move(model)),
      options_(options),
      impl_(std::make_unique<Impl>(options.threads > 0 ? options.threads : thread_count())) {}

Session::~Session() = default;

std::byte* Session::address(ValueId id) const {
  const auto& memory = model_->memory(size_);
  const auto owner = memory.owner[static_cast<size_t>(id)];
  if (graph().is_constant(owner))
    return const_cast<std::byte*>(graph().constant_of(owner).bytes.data());  // only read
  if (const auto port = impl_->ports.find(owner); port != impl_->ports.end())
    return port->second.get();
  return impl_->arena.get() + memory.offset[static_cast<size_t>(owner)] * portion_;
}

/// Memory for everything; N is known from here on. Nothing has changed if there is not enough.
void Session::allocate(int64_t batch, size_t size) {
  const auto& memory = model_->memory(size);
  const auto& graph = model_->graph(size);
  const int64_t portion = choose_portion(graph, memory.size, batch, options_.cache_bytes);
  const auto bytes = [&](ValueId id) { return plan::arena_bytes(graph.value(id).type); };
  const auto ports = portion < batch ? values_of_caller(*model_, size) : std::set<ValueId>();
  auto total = add_room(0, memory.size, portion);
  for (const ValueId id : ports) total = add_room(total, bytes(id), batch);
  if (!total || *total > options_.max_bytes)
    throw resource_error("{} pictures at once need more than {} bytes; use a smaller batch", batch,
                         options_.max_bytes);
  batch_ = 0;
  impl_->steps.clear();
  times_.clear();
  impl_->arena = plan::allocate_aligned(static_cast<size_t>(memory.size * portion));
  impl_->ports.clear();
  for (const ValueId id : ports)
    impl_->ports[id] = plan::allocate_aligned(static_cast<size_t>(bytes(id) * batch));
  arena_size_ = *total;
  batch_ = batch;
  portion_ = portion;
  size_ = size;
}

void Session::prepare(int64_t batch, size_t size) {
  if (batch == batch_ && size == size_) return;
  if (batch < 1) throw usage_error("a batch of {} pictures", batch);
  if (size >= model_->sizes()) throw usage_error("size {} of {}", size, model_->sizes());
  allocate(batch, size);
  int64_t scratch = 0;
  for (const ValueId id : model_->steps(size_)) {
    Step step{id, bind(id), nullptr};
    step.kernel = &choose_kernel(step.bound);
    if (options_.profile) times_.push_back({id, 0.0, step.kernel->name});
    impl_->steps.push_back(std::move(step));
  }
  chain_products(graph(), model_->memory(size_), impl_->steps);
  for (const Step& step : impl_->steps)
    scratch = std::max(scratch, scratch_of(step, impl_->pool.threads()));
  find_moving();
  impl_->scratch_size = static_cast<size_t>(scratch);
  impl_->scratch = plan::allocate_aligned(impl_->scratch_size);
}

void Session::find_moving() {
  impl_->moving.clear();
  const auto& memory = model_->memory(size_);
  const auto add = [&](size_t step, int operand, ValueId id) {
    const auto port = impl_->ports.find(memory.owner[static_cast<size_t>(id)]);
    if (port == impl_->ports.end()) return;
    const auto& type = graph().value(port->first).type;
    const int64_t bytes = resolve(type.dims, portion_).count() * saccade::bytes(type.dtype);
    impl_->moving.push_back({step, operand, port->second.get(), has_batch(type.dims) ? bytes : 0});
  };
  for (size_t i = 0; i < impl_->steps.size(); ++i) {
    const auto& operands = impl_->steps[i].bound.node->operands;
    for (size_t o = 0; o < operands.size(); ++o)
      if (operands[o] != plan::kAbsent) add(i, static_cast<int>(o), operands[o]);
    add(i, -1, impl_->steps[i].value);
  }
}

void Session::move_to(int64_t portion) {
  for (const auto& [step, operand, first, stride] : impl_->moving) {
    auto& bound = impl_->steps[step].bound;
    std::byte* at = first + portion * stride;
    if (operand < 0)
      bound.result.data = at;
    else
      bound.operands[static_cast<size_t>(operand)].data = at;
  }
}

Bound Session::bind(ValueId id) const {
  const auto& graph = this->graph();
  const auto& node = graph.value(id);
  Bound bound;
  bound.op = &ops::info(node.op);
  bound.node = &node;
  bound.result = {address(id), node.type.dtype, resolve(node.type.dims, portion_)};
  for (const ValueId operand : node.operands) {
    if (operand == plan::kAbsent) {
      bound.operands.emplace_back();
      continue;
    }
    const auto& type = graph.value(operand).type;
    bound.operands.push_back(
        {address(operand), type.dtype, resolve(type.dims, portion_),
         graph.is_constant(operand) ? graph.constant_of(operand).layout : ops::Layout::row_major});
  }
  return bound;
}

std::span<std::byte> Session::input(size_t index) {
  SACCADE_CHECK(batch_ > 0 && index < model_->inputs(size_).size(), "input {} before prepare()",
                index);
  const ValueId id = model_->inputs(size_)[index];
  const auto& type = graph().value(id).type;
  const int64_t count = resolve(type.dims, batch_).count();
  return {address(id), static_cast<size_t>(count * bytes(type.dtype))};
}

void Session::run() {
  SACCADE_CHECK(batch_ > 0, "run() before prepare()");
  for (int64_t portion = 0; portion < batch_ / portion_; ++portion) {
    move_to(portion);
    run_steps();
  }
}

void Session::run_steps() {
  for (size_t i = 0; i < impl_->steps.size(); ++i) {
    const auto& step = impl_->steps[i];
    const auto start = options_.profile ? Clock::now() : Clock::time_point();
    step.kernel->run(step.bound, impl_->pool, {impl_->scratch.get(), impl_->scratch_size});
    if (options_.profile)
      times_[i].seconds += std::chrono::duration<double>(Clock::now() - start).count();
  }
}

void Session::reset_times() {
  for (auto& time : times_) time.seconds = 0.0;
}

std::span<const std::byte> Session::output_bytes(size_t index) const {
  const auto& outputs = graph().outputs;
  SACCADE_CHECK(batch_ > 0 && index < outputs.size(), "output {} before run()", index);
  const ValueId id = outputs[index].value;
  const auto& type = graph().value(id).type;
  const int64_t count = resolve(type.dims, batch_).count();
  return {address(id), static_cast<size_t>(count * bytes(type.dtype))};
}

void fill_with_noise(Session& session) {
  const auto& inputs = session.model().inputs(session.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto room = session.input(i);
    std::memset(room.data(), 0, room.size());
    if (session.graph().value(inputs[i]).type.dtype != DType::F32) continue;
    Random random(1, 0, i, "noise");
    for (size_t at = 0; at + sizeof(float) <= room.size(); at += sizeof(float)) {
      const auto value = static_cast<float>(random.uniform(-2.0, 2.0));
      std::memcpy(room.data() + at, &value, sizeof value);
    }
  }
}

TensorView Session::output(size_t index) const {
  const auto bytes = output_bytes(index);
  const auto& type = graph().value(graph().outputs[index].value).type;
  const auto extents = resolve(type.dims, batch_);
  Shape shape(extents.span().begin(), extents.span().end());
  return {type.dtype, shape, contiguous_strides(shape), bytes};
}

}  // namespace saccade::runtime
