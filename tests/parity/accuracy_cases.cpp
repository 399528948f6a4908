// Cases of the system "accuracy": expected.json holds what timm, scikit-learn and torchmetrics say
// about the logits and labels of the case.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "saccade/metrics/classification.h"
#include "tests/parity/golden.h"

namespace saccade::parity {
namespace {

/// Collects the first difference.
class Comparison {
 public:
  Comparison(double atol, double rtol) : atol_(atol), rtol_(rtol) {}

  void number(const std::string& what, double actual, const Json& expected) {
    if (!difference_.empty()) return;
    const auto value = expected.get<double>();
    if (!(std::abs(actual - value) <= atol_ + rtol_ * std::abs(value)))
      difference_ = fmt::format("{}: {}, expected {}", what, actual, value);
  }
  void integer(const std::string& what, int64_t actual, const Json& expected) {
    if (difference_.empty() && expected != Json(actual))
      difference_ = fmt::format("{}: {}, expected {}", what, actual, expected.dump());
  }
  void averages(const std::string& what, const metrics::PrecisionRecall& actual,
                const Json& expected) {
    number(what + ".precision", actual.precision, expected.at("precision"));
    number(what + ".recall", actual.recall, expected.at("recall"));
    number(what + ".f1", actual.f1, expected.at("f1"));
  }

  [[nodiscard]] const std::string& difference() const { return difference_; }

 private:
  double atol_, rtol_;
  std::string difference_;
};

void compare_confusion(const metrics::Confusion& actual, const Json& expected, Comparison& out) {
  const auto& rows = expected.at("confusion_rows_true_cols_pred");
  const auto& classes = expected.at("prf_per_class");
  out.integer("classes", actual.classes(), Json(rows.size()));
  for (int64_t t = 0; t < actual.classes(); ++t) {
    const auto i = static_cast<size_t>(t);
    for (int64_t p = 0; p < actual.classes(); ++p)
      out.integer(fmt::format("confusion[{}][{}]", t, p), actual.at(t, p),
                  rows.at(i).at(static_cast<size_t>(p)));
    const auto what = fmt::format("class {}", t);
    const auto [precision, recall, f1] = actual.of_class(t);
    out.number(what + ".precision", precision, classes.at("precision").at(i));
    out.number(what + ".recall", recall, classes.at("recall").at(i));
    out.number(what + ".f1", f1, classes.at("f1").at(i));
    out.integer(what + ".support", actual.support(t), classes.at("support").at(i));
  }
  out.averages("macro", actual.macro(), expected.at("prf_macro"));
  out.averages("micro", actual.micro(), expected.at("prf_micro"));
  out.averages("weighted", actual.weighted(), expected.at("prf_weighted"));
  out.averages("macro_present", actual.macro_present(),
               expected.at("macro_over_labels_present_in_true_or_pred"));
  out.number("accuracy", actual.accuracy(), expected.at("accuracy"));
  out.number("balanced_accuracy", actual.balanced_accuracy(),
             expected.at("balanced_accuracy_present_classes"));
  out.number("kappa", actual.kappa(), expected.at("cohen_kappa"));
}

void compare_calibration(const metrics::Calibration& actual, int64_t bins, const Json& expected,
                         Comparison& out) {
  const auto what = fmt::format("ece {}", bins);
  out.number(what, actual.expected_error(), expected.at("ece"));
  out.number(what + ".mce", actual.maximum_error(), expected.at("mce"));
  const auto& rows = expected.at("bins_count_acc_conf");
  const auto found = actual.bins();
  for (size_t i = 0; i < found.size(); ++i) {
    const auto bin = fmt::format("{}.bin {}", what, i);
    out.integer(bin, found[i].count, rows.at(i).at(0));
    out.number(bin + ".accuracy", found[i].accuracy, rows.at(i).at(1));
    out.number(bin + ".confidence", found[i].confidence, rows.at(i).at(2));
  }
}

std::string check(const Case& c) {
  const auto logits = to_float(c.golden("in.logits"));
  const auto labels = c.golden("in.labels");
  const auto expected = read_json(c.folder / "expected.json");
  const auto& config = c.json.at("config");
  const auto bins = config.at("ece_bins").get<std::vector<int64_t>>();
  metrics::Classification measured(config.at("classes").get<int64_t>(), bins);
  measured.add(logits, labels.as<int64_t>());

  const auto& tolerance = c.json.at("tolerance");
  Comparison out(tolerance.at("atol").get<double>(), tolerance.at("rtol").get<double>());
  for (const auto& k : config.at("topk"))
    out.number(fmt::format("top {}", k.dump()), 100.0 * measured.top(k.get<int64_t>()),
               expected.at("topk_percent").at(k.dump()).at("lowest_index_first"));
  const auto width = static_cast<size_t>(measured.classes());
  for (size_t i = 0; i < labels.as<int64_t>().size(); ++i)
    out.integer(fmt::format("argmax {}", i),
                metrics::first_maximum(logits.as<float>().subspan(i * width, width)),
                expected.at("pred_argmax_first").at(i));
  compare_confusion(measured.confusion(), expected, out);
  out.number("nll", measured.nll(), expected.at("nll_mean"));
  out.number("brier", measured.brier(), expected.at("brier"));
  for (size_t i = 0; i < bins.size(); ++i)
    compare_calibration(measured.calibrations()[i], bins[i],
                        expected.at("ece").at(std::to_string(bins[i])), out);
  return out.difference();
}

}  // namespace

std::optional<Outcome> run_accuracy_case(const Case& c) {
  if (c.system != "accuracy") return std::nullopt;
  if (c.kind != "metrics") return Outcome{Status::unsupported, "accuracy cases of kind " + c.kind};
  auto difference = check(c);
  const auto status = difference.empty() ? Status::passed : Status::failed;
  return Outcome{status, std::move(difference)};
}

}  // namespace saccade::parity
