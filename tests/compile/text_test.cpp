#include "saccade/compile/ir/text.h"

#include <limits>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "tests/plan/graphs.h"

namespace saccade::compile {
namespace {

std::string error_of(std::string_view text) {
  try {
    static_cast<void>(parse(text, {}, "graph.txt"));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(CompileText, PrintedGraphsParseBack) {
  const auto graph = test::small_vit();
  const auto text = print(graph);
  const auto again = parse(text, graph.constants, "text");
  EXPECT_EQ(print(again), text);
  EXPECT_EQ(plan::find_problem(again), "");
  ASSERT_EQ(again.values.size(), graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i) {
    EXPECT_EQ(again.values[i].attributes, graph.values[i].attributes);
    EXPECT_EQ(again.values[i].operands, graph.values[i].operands);
    EXPECT_EQ(again.values[i].path, graph.values[i].path);
  }
}

TEST(CompileText, KeepsEveryAttribute) {
  plan::Graph graph;
  const auto x = graph.add_input("in \"quoted\"\n", {DType::F32, {{2, true}, {3}}});
  const auto y = graph.add(ops::Op::clamp, {x}, {{"min", 0.1}}, "a.b");
  graph.add_output("y", graph.add(ops::Op::gelu, {y}, {{"approximate", int64_t{1}}}));
  const auto again = parse(print(graph), {}, "text");
  EXPECT_EQ(plan::attribute<double>(again.values[1], "min"), 0.1);
  EXPECT_EQ(plan::attribute<double>(again.values[1], "max"),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(plan::attribute<int64_t>(again.values[2], "approximate"), 1);
  EXPECT_EQ(again.values[0].name, "in \"quoted\"\n");
}

TEST(CompileText, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("%0 = input \"x\" : F32[N]\n%1 = wobble(%0) : F32[N]"),
            "graph.txt: line 2: there is no operator wobble");
  EXPECT_NE(error_of("%0 = relu(%1) : F32[N]").find("%1 is not known here"), std::string::npos);
  EXPECT_NE(error_of("%0 = input \"x\" : F32[N]\n%1 = relu(%0) : F32[2N]").find("gives F32[N]"),
            std::string::npos);
  EXPECT_NE(error_of("%0 = input \"x : F32[N]"), "");
  EXPECT_NE(error_of("%0 = constant #0 \"\" : F32[1]").find("0 constants"), std::string::npos);
  EXPECT_NE(error_of("nothing"), "");
}

TEST(CompileText, CutOffTextIsAnError) {
  const auto graph = test::small_vit({.depth = 1});
  const auto text = print(graph);
  const auto whole = print(parse(text, graph.constants, "t"));
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    try {
      const auto part = parse(std::string_view(text).substr(0, size), graph.constants, "t");
      EXPECT_NE(print(part), whole);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    }
  }
}

}  // namespace
}  // namespace saccade::compile
