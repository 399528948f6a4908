#include "saccade/train/report.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "saccade/train/recipe.h"
#include "saccade/train/run_folder.h"

namespace saccade::train {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

struct Curve {
  const char* name;
  const char* colour;
  double EpochMetrics::*value;
};

constexpr double kWidth = 640, kHeight = 240, kLeft = 64, kTop = 16, kBottom = 24;

/// One SVG chart with its own vertical scale.
std::string chart(const char* title, const std::vector<EpochMetrics>& history,
                  const std::vector<Curve>& curves) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& m : history)
    for (const auto& curve : curves)
      if (const double v = m.*curve.value; std::isfinite(v)) {
        low = std::min(low, v);
        high = std::max(high, v);
      }
  if (!(low <= high)) return "";
  if (low == high) high = low + 1.0;
  const auto last = static_cast<double>(std::max<int64_t>(history.back().epoch, 2));
  const auto x = [&](double epoch) {
    return kLeft + (epoch - 1.0) / (last - 1.0) * (kWidth - kLeft - 8);
  };
  const auto y = [&](double v) {
    return kTop + (high - v) / (high - low) * (kHeight - kTop - kBottom);
  };
  std::string out = fmt::format("<h2>{}</h2>\n<svg viewBox=\"0 0 {} {}\" width=\"{}\">\n", title,
                                kWidth, kHeight, kWidth);
  for (int i = 0; i <= 4; ++i) {
    const double v = low + (high - low) * i / 4;
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.4g}</text>\n",
        kLeft, kWidth - 8, y(v), kLeft - 6, y(v) + 4, v);
  }
  double legend = kLeft;
  for (const auto& curve : curves) {
    std::string points;
    for (const auto& m : history)
      if (const double v = m.*curve.value; std::isfinite(v))
        points += fmt::format("{:.1f},{:.1f} ", x(static_cast<double>(m.epoch)), y(v));
    out += fmt::format(
        "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"{}\"/>"
        "<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n",
        curve.colour, points, legend, kHeight - 6, curve.colour, curve.name);
    legend += 110;
  }
  return out + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">epoch {}</text></svg>\n",
                           kWidth - 8, kHeight - 6, history.back().epoch);
}

}  // namespace

std::string html_report(const Recipe& recipe, const std::vector<EpochMetrics>& history) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<style>body{{font:14px sans-serif;max-width:720px;margin:2em auto}}"
      "svg text{{font:11px sans-serif}}pre{{background:#f5f5f5;padding:1em;overflow:auto}}</style>"
      "</head>\n<body><h1>{0}</h1>\n",
      escaped(recipe.name));
  if (!history.empty()) {
    const auto& last = history.back();
    out += fmt::format("<p>{} epochs, {:.1f} minutes, {:.0f} images/s", last.epoch,
                       last.seconds / 60, last.images_per_second);
    if (std::isfinite(last.top1)) out += fmt::format(", top-1 {:.2f} %", 100 * last.top1);
    out += "</p>\n";
    out += chart("Loss", history,
                 {{"training", "#1f77b4", &EpochMetrics::train_loss},
                  {"evaluation", "#d62728", &EpochMetrics::eval_loss}});
    out += chart(
        "Accuracy", history,
        {{"top-1", "#2ca02c", &EpochMetrics::top1}, {"top-5", "#9467bd", &EpochMetrics::top5}});
    out += chart("Learning rate", history, {{"rate", "#ff7f0e", &EpochMetrics::lr}});
  }
  return out + fmt::format("<h2>Recipe</h2>\n<pre>{}</pre></body></html>\n", escaped(recipe.text));
}

}  // namespace saccade::train
