#include <cctype>
#include <charconv>
#include <map>

#include "saccade/base/error.h"
#include "saccade/base/json.h"
#include "saccade/compile/ir/text.h"

namespace saccade::compile {
namespace {

using ops::Attribute, ops::AttributeKind, ops::AttributeSpec;
using plan::Graph, plan::ValueId;

/// Reads words, numbers, texts and signs from front to back.
class Scanner {
 public:
  Scanner(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  [[nodiscard]] bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  /// Takes the sign if it comes next.
  bool accept(std::string_view sign) {
    skip_space();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void expect(std::string_view sign) {
    if (!accept(sign)) throw fail("\"{}\" is expected", sign);
  }
  std::string_view word() {
    skip_space();
    const size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(byte(at_)) != 0 || text_[at_] == '_')) ++at_;
    if (at_ == start) throw fail("a word is expected");
    return text_.substr(start, at_ - start);
  }
  template <class T>
  T number() {
    skip_space();
    T value{};
    const auto* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{}) throw fail("a number is expected");
    at_ += static_cast<size_t>(end - begin);
    return value;
  }
  std::string quoted() {
    skip_space();
    const size_t start = at_;
    expect("\"");
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n')
      at_ += text_[at_] == '\\' ? 2 : 1;
    expect("\"");
    return parse_json(text_.substr(start, at_ - start), where_).get<std::string>();
  }

  template <class... Args>
  [[nodiscard]] Error fail(fmt::format_string<Args...> text, Args&&... args) const {
    const auto seen = text_.substr(0, std::min(at_, text_.size()));
    return input_error(where_, "line {}: {}", 1 + std::count(seen.begin(), seen.end(), '\n'),
                       fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  [[nodiscard]] int byte(size_t at) const { return static_cast<unsigned char>(text_[at]); }
  void skip_space() {
    at_ = std::min(at_, text_.size());
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("//"))
        at_ = std::min(text_.find('\n', at_), text_.size());
      else if (std::isspace(byte(at_)) != 0)
        ++at_;
      else
        return;
    }
  }

  std::string_view text_;
  std::string where_;
  size_t at_ = 0;
};

class Parser {
 public:
  Parser(std::string_view text, std::vector<plan::Constant> constants, std::string_view where)
      : in_(text, where) {
    graph_.constants = std::move(constants);
  }

  Graph run() {
    while (!in_.at_end()) {
      if (in_.accept("%"))
        value();
      else
        output();
    }
    return std::move(graph_);
  }

 private:
  void value() {
    const auto number = in_.number<int64_t>();
    in_.expect("=");
    const auto what = in_.word();
    ValueId id{};
    if (what == "input")
      id = input();
    else if (what == "constant")
      id = constant();
    else
      id = node(what);
    if (what != "input") {
      in_.expect(":");
      if (const auto stated = type(); stated != graph_.value(id).type)
        throw in_.fail("{} gives {}", what, to_string(graph_.value(id).type));
    }
    if (in_.accept("@")) graph_.values[static_cast<size_t>(id)].path = in_.quoted();
    if (!ids_.emplace(number, id).second) throw in_.fail("%{} for the second time", number);
  }

  ValueId input() {
    auto name = in_.quoted();
    in_.expect(":");
    auto given = type();
    if (const auto reason = type_problem(given); !reason.empty()) throw in_.fail("{}", reason);
    return graph_.add_input(std::move(name), std::move(given));
  }

  ValueId constant() {
    in_.expect("#");
    const auto number = in_.number<int32_t>();
    if (number < 0 || static_cast<size_t>(number) >= graph_.constants.size())
      throw in_.fail("there are {} constants", graph_.constants.size());
    static_cast<void>(in_.quoted());
    plan::Value out;
    out.kind = plan::ValueKind::constant;
    out.constant = number;
    out.type = graph_.constants[static_cast<size_t>(number)].type();
    graph_.values.push_back(std::move(out));
    return static_cast<ValueId>(graph_.values.size()) - 1;
  }

  ValueId node(std::string_view name) {
    const auto* op = ops::find_op(name);
    if (!op) throw in_.fail("there is no operator {}", name);
    std::vector<ValueId> operands;
    in_.expect("(");
    while (!in_.accept(")")) {
      if (!operands.empty()) in_.expect(",");
      operands.push_back(in_.accept("_") ? plan::kAbsent : reference());
    }
    while (operands.size() < op->operands.size()) operands.push_back(plan::kAbsent);
    ops::NamedAttributes attributes;
    if (in_.accept("{")) read_attributes(*op, attributes);
    try {
      return graph_.add_node(op->op, std::move(operands), complete(*op, attributes));
    } catch (const ops::RuleError& e) {
      throw in_.fail("{}: {}", name, e.what());
    } catch (const Error& e) {
      throw in_.fail("{}", e.what());
    }
  }

  void read_attributes(const ops::OpInfo& op, ops::NamedAttributes& out) {
    while (!in_.accept("}")) {
      if (!out.empty()) in_.expect(",");
      const auto name = in_.word();
      const auto spec = std::ranges::find(op.attributes, name, &AttributeSpec::name);
      if (spec == op.attributes.end()) throw in_.fail("{} has no attribute {}", op.name, name);
      in_.expect("=");
      out.emplace_back(spec->name, attribute(*spec));
    }
  }

  Attribute attribute(const AttributeSpec& spec) {
    switch (spec.kind) {
      case AttributeKind::integer: return in_.number<int64_t>();
      case AttributeKind::real: return in_.number<double>();
      case AttributeKind::dims: return dims();
      case AttributeKind::integers: return integers();
      case AttributeKind::choice: break;
    }
    const auto word = in_.word();
    const auto it = std::ranges::find(spec.choices, word);
    if (it == spec.choices.end()) throw in_.fail("{} cannot be {}", spec.name, word);
    return static_cast<int64_t>(it - spec.choices.begin());
  }

  std::vector<int64_t> integers() {
    std::vector<int64_t> list;
    in_.expect("[");
    while (!in_.accept("]")) {
      if (!list.empty()) in_.expect(",");
      list.push_back(in_.number<int64_t>());
    }
    return list;
  }

  ops::Dims dims() {
    ops::Dims out;
    in_.expect("[");
    while (!in_.accept("]")) {
      if (!out.empty()) in_.expect(",");
      if (in_.accept("N")) {
        out.push_back({1, true});
        continue;
      }
      const auto size = in_.number<int64_t>();
      out.push_back({size, in_.accept("N")});
    }
    return out;
  }

  ops::Type type() {
    const auto code = in_.word();
    const auto dtype = parse_dtype(code);
    if (!dtype) throw in_.fail("there is no element type {}", code);
    return {*dtype, dims()};
  }

  ValueId reference() {
    in_.expect("%");
    const auto number = in_.number<int64_t>();
    const auto it = ids_.find(number);
    if (it == ids_.end()) throw in_.fail("%{} is not known here", number);
    return it->second;
  }

  void output() {
    if (in_.word() != "output") throw in_.fail("a value or an output is expected");
    auto name = in_.quoted();
    in_.expect("=");
    graph_.add_output(std::move(name), reference());
  }

  Scanner in_;
  Graph graph_;
  std::map<int64_t, ValueId> ids_;
};

}  // namespace

Graph parse(std::string_view text, std::vector<plan::Constant> constants, std::string_view where) {
  return Parser(text, std::move(constants), where).run();
}

}  // namespace saccade::compile
