#pragma once
// Results on stdout: JSON, and tables with aligned columns.

#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/json.h"

namespace saccade::cli {

/// One JSON value and a line end on stdout. Bytes that are no UTF-8 (file names) are replaced.
void print_json(const Json& value);

enum class Align { left, right };

/// Rows under headings, each column as wide as its widest cell.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns.
  void add(std::vector<std::string> row);
  /// The lines, each with its line end; without headings if they are all empty.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// 86567656 -> "86.6 M", 4200 -> "4.20 k": three digits and a unit.
[[nodiscard]] std::string with_unit(double value);
/// 346270624 bytes -> "330.2 MiB".
[[nodiscard]] std::string bytes_text(double bytes);

}  // namespace saccade::cli
