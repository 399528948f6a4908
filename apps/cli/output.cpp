#include "apps/cli/output.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "saccade/base/check.h"

namespace saccade::cli {
namespace {

/// Columns of a terminal that UTF-8 text takes: its code points.
size_t width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string cell(std::string_view text, size_t columns, Align align) {
  const std::string space(columns - std::min(columns, width(text)), ' ');
  return align == Align::left ? fmt::format("{}{}", text, space) : fmt::format("{}{}", space, text);
}

}  // namespace

void print_json(const Json& value) {
  fmt::print("{}\n", value.dump(2, ' ', false, Json::error_handler_t::replace));
}

void Table::add(std::vector<std::string> row) {
  SACCADE_CHECK(row.size() == columns_.size(), "{} cells in a table of {} columns", row.size(),
                columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::string> headings;
  std::vector<size_t> widths;
  for (const auto& column : columns_) {
    headings.push_back(column.heading);
    widths.push_back(width(column.heading));
  }
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));

  std::string lines;
  const auto add_line = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += (i == 0 ? "" : "  ") + cell(row[i], widths[i], columns_[i].align);
    line.erase(line.find_last_not_of(' ') + 1);
    lines += line + "\n";
  };
  if (std::any_of(headings.begin(), headings.end(), [](auto& text) { return !text.empty(); }))
    add_line(headings);
  for (const auto& row : rows_) add_line(row);
  return lines;
}

std::string with_unit(double value) {
  constexpr std::array<std::string_view, 5> kUnits{"", " k", " M", " G", " T"};
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}{}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string bytes_text(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1023.95 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

}  // namespace saccade::cli
