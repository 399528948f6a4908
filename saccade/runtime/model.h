#pragma once
// A plan made ready to run: immutable, shared by any number of sessions on any threads.

#include <filesystem>
#include <memory>

#include "saccade/plan/memory.h"
#include "saccade/plan/plan.h"

namespace saccade::runtime {

class Model {
 public:
  /// Opens and verifies a plan file; Error as plan::open.
  [[nodiscard]] static std::shared_ptr<const Model> open(const std::filesystem::path& path,
                                                         const plan::OpenOptions& options = {});
  /// Throws Error (bad_input) if the graph has a problem.
  explicit Model(plan::Plan plan);

  [[nodiscard]] const plan::Graph& graph() const { return plan_.graph; }
  [[nodiscard]] const plan::Info& info() const { return plan_.info; }
  [[nodiscard]] const plan::Plan& plan() const { return plan_; }
  [[nodiscard]] const plan::MemoryMap& memory() const { return memory_; }
  /// The inputs' values, in the order of the graph.
  [[nodiscard]] const std::vector<plan::ValueId>& inputs() const { return inputs_; }
  /// The values to compute, in order: those that an output needs and that are no views.
  [[nodiscard]] const std::vector<plan::ValueId>& steps() const { return steps_; }

 private:
  plan::Plan plan_;
  plan::MemoryMap memory_;
  std::vector<plan::ValueId> inputs_;
  std::vector<plan::ValueId> steps_;
};

}  // namespace saccade::runtime
