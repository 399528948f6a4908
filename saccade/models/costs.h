#pragma once
// Counts parameters and multiply-adds module by module, for System::costs.

#include <map>
#include <string>
#include <vector>

#include "saccade/models/catalogue.h"

namespace saccade::models {

/// Rows in the order of first mention. What is added to a module counts for every module above it,
/// up to the whole model (""). Counts that exceed 63 bits stay at the largest number.
class CostTable {
 public:
  CostTable();

  /// Parameters of the module itself and multiply-adds that none of its children does.
  void add(const std::string& path, int64_t params, int64_t macs, const std::string& formula = "");
  /// A linear layer, or a convolution with `in` = channels times taps, at `positions` places.
  void linear(const std::string& path, int64_t positions, int64_t in, int64_t out,
              bool bias = true);
  /// LayerNorm over `dim` channels.
  void norm(const std::string& path, int64_t dim) { add(path, 2 * dim, 0); }

  [[nodiscard]] std::vector<ModuleCost> rows() && { return std::move(rows_); }

 private:
  ModuleCost& row(const std::string& path);

  std::vector<ModuleCost> rows_;
  std::map<std::string, size_t> places_;
};

}  // namespace saccade::models
