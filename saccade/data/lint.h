#pragma once
// Looks a data set through before hours are spent on it.

#include <cstdint>
#include <string>
#include <vector>

#include "saccade/data/dataset.h"

namespace saccade::data {

struct LintOptions {
  /// Pictures to decode, spread evenly over the set; -1: all of them.
  int64_t pictures = 1000;
  /// Examples kept of each finding.
  int64_t examples = 5;
};

/// One kind of trouble.
struct LintFinding {
  std::string problem;  ///< "pictures that cannot be decoded"
  bool fatal = false;   ///< training on it would fail or learn the wrong thing
  int64_t count = 0;
  std::vector<std::string> examples;  ///< the first few, bounded
};

struct LintReport {
  int64_t samples = 0;
  int64_t decoded = 0;             ///< pictures that were looked at
  std::vector<int64_t> per_class;  ///< samples of each class
  std::vector<LintFinding> findings;

  /// No fatal finding.
  [[nodiscard]] bool ok() const;
};

/// Class ids, class names, empty classes, missing and broken files. Decodes on all threads; the
/// report does not depend on their number. Never throws for what it finds.
[[nodiscard]] LintReport lint(const ImageDataset& dataset, const LintOptions& options = {});

/// Some lines for a person.
[[nodiscard]] std::string to_text(const LintReport& report);

}  // namespace saccade::data
