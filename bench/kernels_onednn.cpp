#include "bench/kernels_onednn.h"

#if defined(SACCADE_ONEDNN)
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>

#include <memory>
#include <unordered_map>
#include <vector>

namespace bench {
namespace {

using dnnl::memory;
using saccade::DType;

struct Product {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul product;
  memory a, bias, c;
  std::vector<memory> weights;
  size_t turn = 0;

  void run() {
    product.execute(stream, {{DNNL_ARG_SRC, a},
                             {DNNL_ARG_WEIGHTS, weights[turn++ % weights.size()]},
                             {DNNL_ARG_BIAS, bias},
                             {DNNL_ARG_DST, c}});
    stream.wait();
  }
};

/// A copy of fp32 data in the type and layout that oneDNN asks for.
memory converted(Product& p, const memory::desc& plain, const float* data,
                 const memory::desc& wanted) {
  memory from(plain, p.engine, const_cast<float*>(data));
  memory to(wanted, p.engine);
  dnnl::reorder(from, to).execute(p.stream, from, to);
  p.stream.wait();
  return to;
}

}  // namespace

bool have_onednn() { return true; }

std::function<void()> onednn_matmul(int64_t m, int64_t n, int64_t k, DType type, const float* a,
                                    const float* weights, const float* bias, float* c, int copies) {
  omp_set_num_threads(1);
  using Type = memory::data_type;
  const Type rows = type == DType::F32 ? Type::f32 : type == DType::BF16 ? Type::bf16 : Type::u8;
  const Type packed = type == DType::I8 ? Type::s8 : rows;
  auto p = std::make_shared<Product>();
  const memory::desc a_desc({m, k}, rows, memory::dims{k, 1});
  const memory::desc any({k, n}, packed, memory::format_tag::any);
  const memory::desc bias_desc({1, n}, Type::f32, memory::dims{n, 1});
  const memory::desc c_desc({m, n}, Type::f32, memory::dims{n, 1});
  try {
    const dnnl::matmul::desc desc(a_desc, any, bias_desc, c_desc);
    const dnnl::matmul::primitive_desc chosen(desc, p->engine);
    p->product = dnnl::matmul(chosen);
    p->a = converted(*p, {{m, k}, Type::f32, memory::dims{k, 1}}, a, a_desc);
    for (int i = 0; i < copies; ++i)
      p->weights.push_back(
          converted(*p, {{k, n}, Type::f32, memory::dims{1, k}}, weights, chosen.weights_desc()));
  } catch (const dnnl::error&) {
    return {};
  }
  p->bias = memory(bias_desc, p->engine, const_cast<float*>(bias));
  p->c = memory(c_desc, p->engine, c);
  return [p] { p->run(); };
}

}  // namespace bench
#else
namespace bench {
bool have_onednn() { return false; }
std::function<void()> onednn_matmul(int64_t, int64_t, int64_t, saccade::DType, const float*,
                                    const float*, const float*, float*, int) {
  return {};
}
}  // namespace bench
#endif
