#pragma once
// A plan made ready to run: immutable, shared by any number of sessions on any threads.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "saccade/plan/memory.h"
#include "saccade/plan/plan.h"

namespace saccade::runtime {

/// Pointed into by its own parts, so it stays where it is.
class Model {
 public:
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  /// Opens and verifies a plan file; Error as plan::open.
  [[nodiscard]] static std::shared_ptr<const Model> open(const std::filesystem::path& path,
                                                         const plan::OpenOptions& options = {});
  /// Throws Error (bad_input) if a graph has a problem.
  explicit Model(plan::Plan plan);

  [[nodiscard]] const plan::Info& info() const { return plan_.info; }
  [[nodiscard]] const plan::Plan& plan() const { return plan_; }

  /// How many input sizes there are; the functions below are those of one of them.
  [[nodiscard]] size_t sizes() const { return programs_.size(); }
  [[nodiscard]] const plan::Graph& graph(size_t size = 0) const {
    return *programs_.at(size).graph;
  }
  [[nodiscard]] const plan::MemoryMap& memory(size_t size = 0) const {
    return programs_.at(size).memory;
  }
  /// The inputs' values, in the order of the graph.
  [[nodiscard]] const std::vector<plan::ValueId>& inputs(size_t size = 0) const {
    return programs_.at(size).inputs;
  }
  /// The values to compute, in order: those that an output needs and that are no views.
  [[nodiscard]] const std::vector<plan::ValueId>& steps(size_t size = 0) const {
    return programs_.at(size).steps;
  }
  /// Where its pictures (the first input, [N, C, height, width]) are that large. Throws Error
  /// (usage) that lists the sizes if there is none.
  [[nodiscard]] size_t find_size(int64_t height, int64_t width) const;
  /// Of an input, for messages: "F32[N, 3, 224, 224]", or all of them with " or " between.
  [[nodiscard]] std::string input_types(size_t index) const;

 private:
  struct Program {
    const plan::Graph* graph;
    plan::MemoryMap memory;
    std::vector<plan::ValueId> inputs;
    std::vector<plan::ValueId> steps;
  };
  [[nodiscard]] static Program make_program(const plan::Graph& graph);

  plan::Plan plan_;
  std::vector<Program> programs_;  ///< point into the plan
};

}  // namespace saccade::runtime
