#include "saccade/data/lint.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "saccade/base/thread_pool.h"

namespace saccade::data {
namespace {

class Linter {
 public:
  Linter(const ImageDataset& dataset, const LintOptions& options)
      : dataset_(dataset), options_(options) {}

  LintReport run() {
    report_.samples = dataset_.size();
    if (report_.samples == 0) find("data sets without a sample", true, "the set is empty");
    check_names();
    check_labels();
    check_pictures();
    for (const auto& file : dataset_.skipped())
      find("files that were left out (no JPEG or PNG in a class folder)", false, file);
    return std::move(report_);
  }

 private:
  void find(const std::string& problem, bool fatal, std::string example) {
    auto& findings = report_.findings;
    auto it = std::ranges::find(findings, problem, &LintFinding::problem);
    if (it == findings.end()) it = findings.insert(it, {problem, fatal, 0, {}});
    if (it->count++ < options_.examples) it->examples.push_back(std::move(example));
  }

  void check_names() {
    std::map<std::string, size_t> seen;
    for (const auto& name : dataset_.classes()) {
      if (name.empty()) find("classes without a name", true, fmt::format("class {}", seen.size()));
      if (++seen[name] == 2) find("class names that occur twice", true, name);
    }
  }

  void check_labels() {
    const auto classes = static_cast<int64_t>(dataset_.classes().size());
    report_.per_class.assign(static_cast<size_t>(classes), 0);
    for (int64_t i = 0; i < dataset_.size(); ++i) {
      const auto label = dataset_.label(i);
      if (label < 0 || label >= classes)
        find("labels outside the classes", true,
             fmt::format("{}: {} of {} classes", dataset_.name(i), label, classes));
      else
        ++report_.per_class[static_cast<size_t>(label)];
    }
    for (size_t c = 0; c < report_.per_class.size(); ++c)
      if (report_.per_class[c] == 0)
        find("classes without a picture", false, dataset_.classes()[c]);
  }

  void check_pictures() {
    const auto size = dataset_.size();
    const auto wanted = options_.pictures < 0 ? size : std::min(options_.pictures, size);
    std::vector<std::string> errors(static_cast<size_t>(wanted));
    parallel_for(wanted, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) errors[static_cast<size_t>(i)] = try_picture(i, wanted);
    });
    report_.decoded = wanted;
    for (auto& error : errors)
      if (!error.empty()) find("pictures that cannot be read", true, std::move(error));
  }

  /// What is wrong with the i-th of `wanted` pictures; "" if nothing is.
  [[nodiscard]] std::string try_picture(int64_t i, int64_t wanted) const {
    const auto share = static_cast<double>(dataset_.size()) / static_cast<double>(wanted);
    const auto index = static_cast<int64_t>(static_cast<double>(i) * share);
    try {
      const auto picture = dataset_.image(std::min(index, dataset_.size() - 1));
      if (picture.width > 0 && picture.height > 0) return {};
      return dataset_.name(index) + ": a picture without pixels";
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  const ImageDataset& dataset_;
  LintOptions options_;
  LintReport report_;
};

}  // namespace

bool LintReport::ok() const {
  return std::ranges::none_of(findings, [](const LintFinding& f) { return f.fatal; });
}

LintReport lint(const ImageDataset& dataset, const LintOptions& options) {
  return Linter(dataset, options).run();
}

std::string to_text(const LintReport& report) {
  auto text = fmt::format("{} samples in {} classes, {} pictures decoded\n", report.samples,
                          report.per_class.size(), report.decoded);
  if (!report.per_class.empty()) {
    const auto [least, most] = std::ranges::minmax_element(report.per_class);
    text += fmt::format("{} to {} samples a class\n", *least, *most);
  }
  for (const auto& finding : report.findings) {
    text += fmt::format("{}: {} {}\n", finding.fatal ? "error" : "note", finding.count,
                        finding.problem);
    for (const auto& example : finding.examples) text += fmt::format("  {}\n", example);
    const auto more = finding.count - static_cast<int64_t>(finding.examples.size());
    if (more > 0) text += fmt::format("  and {} more\n", more);
  }
  return text;
}

}  // namespace saccade::data
