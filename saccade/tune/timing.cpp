#include "saccade/tune/timing.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "saccade/base/check.h"
#include "saccade/plan/cost.h"
#include "saccade/runtime/session.h"

namespace saccade::tune {
namespace {

using Clock = std::chrono::steady_clock;
using plan::ValueId;

constexpr int kLeastRounds = 8, kMostRounds = 60;
constexpr double kSeconds = 6.0;  // after which rounds stop, if there were enough

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::unique_ptr<runtime::Session> open(plan::Plan plan, bool profile) {
  auto session =
      std::make_unique<runtime::Session>(std::make_shared<const runtime::Model>(std::move(plan)),
                                         runtime::SessionOptions{.profile = profile});
  session->prepare(1);
  fill_with_noise(*session);
  session->run();  // caches and threads are warm
  return session;
}

/// Calls round() until there were enough.
template <class Round>
void repeat(const Round& round) {
  const auto start = Clock::now();
  for (int i = 0; i < kMostRounds; ++i) {
    if (i >= kLeastRounds && seconds_since(start) > kSeconds) return;
    round();
  }
}

/// The products in the order of their computation, packed or not.
std::vector<ValueId> products(const plan::Graph& graph) {
  std::vector<ValueId> out;
  for (size_t i = 0; i < graph.values.size(); ++i)
    if (plan::is_product(graph.values[i])) out.push_back(static_cast<ValueId>(i));
  return out;
}

/// A plan with all layers in one precision, and where each layer stands among its steps.
struct Runner {
  Precision precision;
  std::unique_ptr<runtime::Session> session;
  std::vector<size_t> steps;  ///< of each layer, a position in Session::times()
};

Runner make_runner(const plan::Plan& optimised, const std::vector<Layer>& layers,
                   Precision precision) {
  Runner runner{precision, nullptr, {}};
  runner.session = open(compile::emit(optimised, assignment_of(layers, precision)), true);
  const auto before = products(optimised.graph), after = products(runner.session->model().graph());
  SACCADE_CHECK(before.size() == after.size(), "{} products became {}", before.size(),
                after.size());
  const auto& times = runner.session->times();
  for (const auto& layer : layers) {
    const auto number = std::ranges::lower_bound(before, layer.id) - before.begin();
    const auto step =
        std::ranges::find(times, after[static_cast<size_t>(number)], &runtime::StepTime::value);
    runner.steps.push_back(static_cast<size_t>(step - times.begin()));
  }
  return runner;
}

/// What decides how long a layer takes: operator, operands and what follows the product.
std::string kind_of(const plan::Graph& graph, ValueId id) {
  const auto& node = graph.value(id);
  std::string text(ops::info(node.op).name);
  for (const auto operand : node.operands)
    text += operand == plan::kAbsent ? " _" : " " + to_string(graph.value(operand).type);
  if (node.op != ops::Op::attention)
    text += fmt::format(" {}", plan::attribute<int64_t>(node, "activation"));
  return text;
}

/// Layers of one kind take the same time: each gets the best of them all, so that what else the
/// machine did meanwhile decides nothing.
void share_times(const plan::Graph& graph, std::vector<Layer>& layers) {
  std::map<std::pair<std::string, Precision>, double> best;
  const auto for_each_time = [&](const auto& visit) {
    for (auto& layer : layers)
      for (const Precision p : kPrecisions)
        if (auto& form = layer.form(p); form.ms) visit({kind_of(graph, layer.id), p}, *form.ms);
  };
  for_each_time([&](const std::pair<std::string, Precision>& kind, double ms) {
    const auto at = best.try_emplace(kind, ms).first;
    at->second = std::min(at->second, ms);
  });
  for_each_time(
      [&](const std::pair<std::string, Precision>& kind, double& ms) { ms = best.at(kind); });
}

}  // namespace

void measure_times(const plan::Plan& optimised, std::vector<Layer>& layers) {
  std::vector<Runner> runners;
  for (const Precision p : kPrecisions)
    if (std::ranges::any_of(layers, [&](const Layer& layer) { return layer.form(p).possible; }))
      runners.push_back(make_runner(optimised, layers, p));
  repeat([&] {
    for (auto& runner : runners) {
      runner.session->reset_times();
      runner.session->run();
      for (size_t i = 0; i < layers.size(); ++i) {
        auto& form = layers[i].form(runner.precision);
        if (!form.possible || runner.steps[i] >= runner.session->times().size()) continue;
        const double ms = 1e3 * runner.session->times()[runner.steps[i]].seconds;
        form.ms = std::min(form.ms.value_or(ms), ms);
      }
    }
  });
  share_times(optimised.graph, layers);
}

std::vector<double> measure_plans(const std::vector<plan::Plan>& plans) {
  std::vector<std::unique_ptr<runtime::Session>> sessions;
  sessions.reserve(plans.size());
  for (const auto& plan : plans) sessions.push_back(open(plan, false));
  std::vector<double> ms(plans.size(), HUGE_VAL);
  repeat([&] {
    for (size_t i = 0; i < sessions.size(); ++i) {
      const auto start = Clock::now();
      sessions[i]->run();
      ms[i] = std::min(ms[i], 1e3 * seconds_since(start));
    }
  });
  return ms;
}

}  // namespace saccade::tune
