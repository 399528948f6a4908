#include "saccade/models/costs.h"

#include <limits>

#include "saccade/base/checked.h"

namespace saccade::models {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

int64_t sum(int64_t a, int64_t b) { return checked_add(a, b).value_or(kMost); }
int64_t product(int64_t a, int64_t b) { return checked_mul(a, b).value_or(kMost); }

/// "blocks" of "blocks.0": numbered children stand for their list, which has no row of its own.
bool is_list(const std::string& path, size_t dot) {
  return dot + 1 < path.size() && path[dot + 1] >= '0' && path[dot + 1] <= '9';
}

}  // namespace

CostTable::CostTable() { row(""); }

ModuleCost& CostTable::row(const std::string& path) {
  const auto [place, is_new] = places_.try_emplace(path, rows_.size());
  if (is_new) rows_.push_back({path, 0, 0, ""});
  return rows_[place->second];
}

void CostTable::add(const std::string& path, int64_t params, int64_t macs,
                    const std::string& formula) {
  const auto count = [&](ModuleCost& row) {
    row.params = sum(row.params, params), row.macs = sum(row.macs, macs);
  };
  count(row(""));
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (!is_list(path, dot)) count(row(path.substr(0, dot)));
  if (path.empty()) return;
  auto& own = row(path);
  count(own);
  if (!formula.empty()) own.formula = formula;
}

void CostTable::linear(const std::string& path, int64_t positions, int64_t in, int64_t out,
                       bool bias) {
  const int64_t weights = product(in, out);
  add(path, sum(weights, bias ? out : 0), product(positions, weights));
}

}  // namespace saccade::models
