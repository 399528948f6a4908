#include "saccade/runtime/session.h"

#include <atomic>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/compile/compile.h"
#include "saccade/runtime/portion.h"
#include "tests/plan/graphs.h"
#include "tests/support/allocations.h"

namespace saccade::runtime {
namespace {

std::shared_ptr<const Model> model_of(plan::Graph graph) {
  plan::Plan plan;
  plan.graph = std::move(graph);
  return std::make_shared<Model>(std::move(plan));
}

/// As compiled: panels, fused attention and all.
std::shared_ptr<const Model> compiled_vit() {
  plan::Plan raw;
  raw.graph = test::small_vit({.side = 32, .dim = 24, .heads = 3, .hidden = 50, .classes = 17});
  return std::make_shared<Model>(compile::compile(raw));
}

std::vector<float> run(Engine& engine, const HostTensor& images) {
  const auto outputs = engine.run({{"images", images}});
  const auto values = outputs.at(0).second.as<float>();
  return {values.begin(), values.end()};
}

TEST(Session, ComputesByHand) {
  plan::Graph graph;
  const auto x = graph.add_input("images", {DType::F32, {{1, true}, {2}}});
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6}, bias = {0, 0, -100};
  const auto y = graph.add(ops::Op::linear,
                           {x,
                            graph.add_constant(plan::make_constant(
                                "w", HostTensor::of({3, 2}, std::span<const float>(weight)))),
                            graph.add_constant(plan::make_constant(
                                "b", HostTensor::of({3}, std::span<const float>(bias))))},
                           {{"activation", int64_t{1}}});
  graph.add_output("y", y);
  const auto engine = make_engine(model_of(graph));
  const std::vector<float> in = {1, 10, -1, 1};
  const auto out = run(*engine, HostTensor::of({2, 2}, std::span<const float>(in)));
  EXPECT_EQ(out, (std::vector<float>{21, 43, 0, 1, 1, 0}));
}

TEST(Session, PicturesOfABatchDoNotSeeEachOther) {
  const auto engine = make_engine(model_of(test::small_vit()));
  const auto images = test::random_tensor({3, 3, 8, 8}, "images");
  const auto together = run(*engine, images);
  ASSERT_EQ(together.size(), 15U);
  for (int64_t i = 0; i < 3; ++i) {
    HostTensor one(DType::F32, {1, 3, 8, 8});
    const auto from = images.as<float>().subspan(static_cast<size_t>(i) * 192, 192);
    std::ranges::copy(from, one.fill<float>().begin());
    const auto alone = run(*engine, one);
    for (size_t c = 0; c < 5; ++c)
      EXPECT_EQ(alone[c], together[static_cast<size_t>(i) * 5 + c]) << i << " " << c;
  }
}

TEST(Session, AllocatesNothingOnceWarm) {
  Session session(compiled_vit(), {.threads = 2, .profile = true});
  session.prepare(2);
  const auto images = test::random_tensor({2, 3, 32, 32}, "images");
  const auto once = [&] {
    const auto room = session.input(0);
    std::memcpy(room.data(), images.bytes().data(), room.size());
    session.run();
  };
  once();
  const int64_t before = test::allocations();
  once();
  session.prepare(2);
  once();
  EXPECT_EQ(test::allocations() - before, 0);
}

TEST(Session, TheSameBitsForAnyNumberOfThreads) {
  const auto model = compiled_vit();
  const auto images = test::random_tensor({3, 3, 32, 32}, "images");
  const auto expected = run(*make_engine(model, {.threads = 1}), images);
  for (const int threads : {2, 3, 7})
    EXPECT_EQ(run(*make_engine(model, {.threads = threads}), images), expected) << threads;
}

TEST(Session, ManySharedByThreads) {
  const auto model = compiled_vit();
  const auto images = test::random_tensor({2, 3, 32, 32}, "images");
  const auto expected = run(*make_engine(model), images);
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const auto engine = make_engine(model, {.threads = 2});
      for (int round = 0; round < 5; ++round)
        if (run(*engine, images) != expected) ++wrong;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Session, WrongInputsSayWhatIsExpected) {
  const auto engine = make_engine(model_of(test::small_vit()));
  const auto message = [&](const NamedTensors& inputs) {
    try {
      static_cast<void>(engine->run(inputs));
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message({}), "the plan needs an input \"images\"");
  EXPECT_EQ(message({{"images", HostTensor(DType::F32, {1, 3, 9, 8})}}),
            "input \"images\" is F32[1, 3, 9, 8]; the plan expects F32[N, 3, 8, 8]");
  EXPECT_NE(message({{"images", HostTensor(DType::I64, {1, 3, 8, 8})}}), "");
  EXPECT_NE(message({{"images", HostTensor(DType::F32, {0, 3, 8, 8})}}), "");
}

/// The small transformer for two sizes, compiled.
std::shared_ptr<const Model> vit_of_two_sizes() {
  plan::Plan raw;
  raw.graph = test::small_vit();
  raw.others.push_back({test::small_vit({.side = 16}), {}});
  return std::make_shared<Model>(compile::compile(raw));
}

TEST(Sizes, TheInputChoosesTheGraph) {
  const auto model = vit_of_two_sizes();
  ASSERT_EQ(model->sizes(), 2U);
  EXPECT_EQ(model->find_size(16, 16), 1U);
  const auto engine = make_engine(model);
  for (const int64_t side : {8, 16, 8}) {
    const auto images = test::random_tensor({2, 3, side, side}, "images");
    plan::Plan alone;
    alone.graph = test::small_vit({.side = side});
    EXPECT_EQ(run(*engine, images),
              run(*make_engine(std::make_shared<Model>(compile::compile(alone))), images));
  }
  try {
    static_cast<void>(engine->run({{"images", HostTensor(DType::F32, {1, 3, 9, 9})}}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(e.what()).find("F32[N, 3, 8, 8] or F32[N, 3, 16, 16]"), std::string::npos)
        << e.what();
  }
  EXPECT_THROW(static_cast<void>(model->find_size(9, 9)), Error);
}

TEST(Sizes, WeightsLieInMemoryOnce) {
  const auto model = vit_of_two_sizes();
  size_t shared = 0;
  for (const auto& constant : model->graph(1).constants)
    for (const auto& other : model->graph(0).constants)
      shared += !constant.name.empty() && constant.bytes.data() == other.bytes.data() ? 1 : 0;
  EXPECT_GE(shared, 25U);  // every weight but the positions, packed ones too
}

std::vector<std::byte> outputs_of(Session& session) {
  fill_with_noise(session);
  session.run();
  std::vector<std::byte> all;
  for (size_t i = 0; i < session.graph().outputs.size(); ++i) {
    const auto bytes = session.output_bytes(i);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

TEST(Session, PortionsOfABatchAreTheBatch) {
  plan::Plan raw;
  raw.graph = test::small_vit({.side = 32, .dim = 24, .heads = 3, .hidden = 50, .classes = 17});
  auto plan = compile::compile(raw);
  const auto& values = plan.graph.values;
  for (size_t i = 0; i < values.size(); ++i)  // values in between, which others read
    if (values[i].kind == plan::ValueKind::node && values[i].op == ops::Op::layer_norm)
      plan.graph.add_output("norm" + std::to_string(i), static_cast<plan::ValueId>(i));
  const auto model = std::make_shared<Model>(std::move(plan));
  const int64_t one = model->memory().size;
  Session whole(model, {.threads = 2});
  for (const int64_t batch : {1, 6, 7, 12}) {
    whole.prepare(batch);
    EXPECT_EQ(whole.portion(), batch);
    const auto expected = outputs_of(whole);
    for (const auto& [room, portion] : {std::pair{one / 2, int64_t{1}},
                                        {3 * one, batch % 3 == 0 ? 3 : 1},
                                        {4 * one, batch % 4 == 0   ? 4
                                                  : batch % 3 == 0 ? 3
                                                                   : 1}}) {
      Session session(model, {.threads = 2, .cache_bytes = room});
      session.prepare(batch);
      EXPECT_EQ(session.portion(), portion) << batch;
      EXPECT_EQ(outputs_of(session), expected) << batch << " " << portion;
      EXPECT_EQ(outputs_of(session), expected) << "a second time";
    }
  }
}

TEST(Session, PicturesThatMixAreNotComputedApart) {
  using ops::Op;
  const ops::Type type{DType::F32, {{1, true}, {4}}};
  const auto apart = [&](const auto& build) {
    plan::Graph graph;
    const auto x = graph.add_input("x", type);
    graph.add_output("y", build(graph, x));
    return pictures_stay_apart(graph);
  };
  const auto node = [](Op op, const ops::NamedAttributes& attributes) {
    return [=](plan::Graph& graph, plan::ValueId x) { return graph.add(op, {x}, attributes); };
  };
  using Integers = std::vector<int64_t>;
  EXPECT_TRUE(apart(node(Op::softmax, {{"axis", int64_t{1}}})));
  EXPECT_FALSE(apart(node(Op::softmax, {{"axis", int64_t{0}}})));
  EXPECT_TRUE(apart(node(Op::mean, {{"axes", Integers{1}}, {"keepdim", int64_t{1}}})));
  EXPECT_FALSE(apart(node(Op::permute, {{"axes", Integers{1, 0}}})));
  EXPECT_FALSE(apart([](plan::Graph& graph, plan::ValueId x) {
    return graph.add(Op::concat, {x, x}, {{"axis", int64_t{0}}});
  }));
  EXPECT_TRUE(apart([](plan::Graph& graph, plan::ValueId x) {
    return graph.add(Op::add, {test::weight(graph, {4}, "w"), x});
  }));
}

TEST(Session, MemoryHasALimit) {
  Session session(model_of(test::small_vit()), {.max_bytes = 1 << 20});
  session.prepare(1);
  EXPECT_LE(session.arena_size(), 1 << 20);
  for (const int64_t batch : {int64_t{1} << 20, int64_t{1} << 62}) {
    try {
      session.prepare(batch);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::resources);
    }
    EXPECT_EQ(session.batch(), 1);
    session.run();  // what was prepared before is left as it was
  }
}

TEST(MemoryMap, ValuesThatLiveTogetherDoNotOverlap) {
  const auto graph = test::small_vit();
  const auto map = plan::plan_memory(graph);
  int64_t total = 0;
  for (size_t i = 0; i < graph.values.size(); ++i)
    if (map.offset[i] >= 0) total += plan::arena_bytes(graph.values[i].type);
  EXPECT_LT(map.size, total / 3);  // most values are short-lived
  EXPECT_NE(print(map, graph).find("blocks.1.attn.qkv"), std::string::npos);
}

}  // namespace
}  // namespace saccade::runtime
