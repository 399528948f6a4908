#include "saccade/runtime/kernels/attention.h"

#include <cstring>

#include "tests/runtime/kernel_support.h"

namespace saccade::runtime::kernels {
namespace {

using test::Exact;
using test::for_each_target;
using test::random_floats;

void run(const Attention& op, int threads = 1) {
  Pool pool(threads);
  const Exact<std::byte> scratch(attention_scratch(op, threads));
  attention(op, pool, scratch.span());
  EXPECT_TRUE(scratch.intact());
}

/// What one result is, by plain loops in double precision.
class Plain {
 public:
  explicit Plain(const Attention& op) : op_(op) {}

  std::vector<double> weights(int64_t image, int64_t group, int64_t head, int64_t query) const {
    const float* q = row(op_.q, image, head, number(op_.query_rows, group, op_.queries, query));
    std::vector<double> scores(op_.keys);
    double largest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < op_.keys; ++j) {
      const float* k = row(op_.k, image, head, number(op_.key_rows, group, op_.keys, j));
      double s = dot(q, k);
      if (op_.cosine)
        s /= std::max(std::sqrt(dot(q, q)), 1e-12) * std::max(std::sqrt(dot(k, k)), 1e-12);
      s *= op_.head_scale != nullptr ? op_.head_scale[head] : op_.scale;
      for (const Addend* a : {&op_.bias, &op_.mask})
        if (a->data != nullptr)
          s += a->data[image * a->image_stride + group * a->group_stride + head * a->head_stride +
                       query * a->row_stride + j];
      scores[j] = s;
      largest = std::max(largest, s);
    }
    for (double& s : scores) sum += s = std::exp(s - largest);
    for (double& s : scores) s /= sum;
    return scores;
  }

  double value(int64_t image, int64_t group, int64_t head, int64_t key, int64_t d) const {
    return row(op_.v, image, head, number(op_.key_rows, group, op_.keys, key))[d];
  }

  static int64_t number(const int64_t* table, int64_t group, int64_t count, int64_t i) {
    return table != nullptr ? table[group * count + i] : group * count + i;
  }

 private:
  static const float* row(const HeadRows& rows, int64_t image, int64_t head, int64_t i) {
    return rows.data + image * rows.image_stride + head * rows.head_stride + i * rows.row_stride;
  }
  double dot(const float* a, const float* b) const {
    double sum = 0;
    for (int64_t d = 0; d < op_.head_dim; ++d) sum += double{a[d]} * b[d];
    return sum;
  }

  const Attention& op_;
};

void expect_attention(const Attention& op, double tolerance) {
  const Plain plain(op);
  for (int64_t image = 0; image < op.images; ++image)
    for (int64_t group = 0; group < op.groups; ++group)
      for (int64_t head = 0; head < op.heads; ++head)
        for (int64_t query = 0; query < op.queries; ++query) {
          const auto weights = plain.weights(image, group, head, query);
          const int64_t row = Plain::number(op.query_rows, group, op.queries, query);
          const float* out = op.out + image * op.out_image_stride + head * op.out_head_stride +
                             row * op.out_row_stride;
          for (int64_t d = 0; d < op.value_dim; ++d) {
            double want = 0;
            for (int64_t j = 0; j < op.keys; ++j)
              want += weights[j] * plain.value(image, group, head, j, d);
            ASSERT_NEAR(out[d], want, tolerance)
                << op.queries << "x" << op.keys << "x" << op.head_dim << "x" << op.value_dim
                << " image " << image << " group " << group << " head " << head << " query "
                << query << " column " << d;
          }
        }
}

double tolerance(bool bf16) { return bf16 ? 0.02 : 2e-6; }

/// q, k and v side by side, as a linear layer leaves them.
struct PackedHeads {
  PackedHeads(int64_t images, int64_t tokens, int64_t heads, int64_t dim)
      : qkv(images * tokens * 3 * heads * dim), out(images * tokens * heads * dim) {
    const auto source = random_floats(images * tokens * 3 * heads * dim, 11);
    std::copy(source.begin(), source.end(), qkv.data());
    const int64_t width = heads * dim;
    const HeadRows rows{qkv.data(), tokens * 3 * width, dim, 3 * width};
    op.images = images, op.heads = heads;
    op.queries = op.keys = tokens;
    op.head_dim = op.value_dim = dim;
    op.q = op.k = op.v = rows;
    op.k.data += width, op.v.data += 2 * width;
    op.scale = 1 / std::sqrt(static_cast<float>(dim));
    op.out = out.data();
    op.out_image_stride = tokens * width;
    op.out_head_stride = dim, op.out_row_stride = width;
  }
  Exact<float> qkv, out;
  Attention op;
};

TEST(AttentionKernel, EverySmallShape) {
  for_each_target([](const std::string&) {
    for (const bool bf16 : {false, true})
      for (int64_t i = 1; i <= 70; ++i) {
        PackedHeads heads(1 + i % 2, i, 1 + i % 3, 1 + i * 11 % 70);
        heads.op.bf16 = bf16;
        run(heads.op, 1 + static_cast<int>(i % 2));
        EXPECT_TRUE(heads.out.intact());
        expect_attention(heads.op, tolerance(bf16));
        if (::testing::Test::HasFatalFailure()) return;
      }
  });
}

TEST(AttentionKernel, CrossAttentionOfAnySizes) {
  for_each_target([](const std::string&) {
    for (const bool bf16 : {false, true})
      for (int64_t i = 1; i <= 40; ++i) {
        Attention op;
        op.images = 2, op.heads = 2;
        op.queries = i, op.keys = 1 + i * 13 % 70;
        op.head_dim = 1 + i * 7 % 40, op.value_dim = 1 + i * 17 % 70;
        op.bf16 = bf16;
        const auto q = random_floats(4 * op.queries * op.head_dim, 1, 2);
        const auto k = random_floats(4 * op.keys * op.head_dim, 2, 2);
        const auto v = random_floats(4 * op.keys * op.value_dim, 3);
        std::vector<float> out(4 * op.queries * op.value_dim);
        const auto rows = [](const std::vector<float>& x, int64_t count, int64_t dim) {
          return HeadRows{x.data(), 2 * count * dim, count * dim, dim};
        };
        op.q = rows(q, op.queries, op.head_dim), op.k = rows(k, op.keys, op.head_dim);
        op.v = rows(v, op.keys, op.value_dim);
        op.scale = 0.5F;
        op.out = out.data();
        op.out_image_stride = 2 * op.queries * op.value_dim;
        op.out_head_stride = op.queries * op.value_dim, op.out_row_stride = op.value_dim;
        // The last keys of the second image are padding, but never all.
        std::vector<float> padding(2 * op.keys, 0.0F);
        for (int64_t j = op.keys / 2 + 1; j < op.keys; ++j) padding[op.keys + j] = -INFINITY;
        op.mask = {padding.data(), op.keys, 0, 0, 0};
        run(op, 2);
        expect_attention(op, tolerance(bf16));
        if (::testing::Test::HasFatalFailure()) return;
      }
  });
}

/// Tokens of 2 images in 4 windows through a permutation, as a shifted Swin block has them, with
/// what can be added to their scores.
struct Windows : PackedHeads {
  static constexpr int64_t kGroups = 4, kHeads = 3;
  explicit Windows(int64_t window)
      : PackedHeads(2, kGroups * window, kHeads, 32),
        table(kGroups * window),
        bias(random_floats(kHeads * window * window, 4)),
        mask(random_floats(kGroups * window * window, 5)) {
    for (int64_t i = 0; i < kGroups * window; ++i) table[i] = (i * 37 + 5) % (kGroups * window);
    for (float& value : mask) value = value > 0 ? 0.0F : -100.0F;
    op.groups = kGroups, op.queries = op.keys = window;
    op.query_rows = op.key_rows = table.data();
  }
  void add_bias() { op.bias = {bias.data(), 0, 0, op.queries * op.keys, op.keys}; }
  void add_mask() { op.mask = {mask.data(), 0, op.queries * op.keys, 0, op.keys}; }
  void use_cosine() { op.cosine = true, op.head_scale = scales.data(); }
  std::vector<int64_t> table;
  std::vector<float> bias, mask;
  std::vector<float> scales = {0.5F, 10.0F, 100.0F};
};

// Windows of as many keys as vectors and panels hold, one more, and one less.
constexpr int64_t kWindows[] = {1, 7, 8, 9, 16, 17, 31, 35, 49};

TEST(AttentionKernel, WindowsWithBiasMaskAndCosine) {
  for_each_target([&](const std::string&) {
    for (const int64_t window : kWindows)
      for (const bool bf16 : {false, true})
        for (int options = 0; options < 8; ++options) {
          Windows windows(window);
          Attention& op = windows.op;
          op.bf16 = bf16;
          if (options & 1) windows.add_bias();
          if (options & 2) windows.add_mask();
          if (options & 4) windows.use_cosine();
          run(op, 2);
          EXPECT_TRUE(windows.out.intact());
          // bf16 scores of up to 100 differ by up to 0.4: there the test only sees gross errors.
          expect_attention(op, bf16 && (options & 4) ? 0.6 : options & 4 ? 2e-5 : tolerance(bf16));
          if (::testing::Test::HasFatalFailure()) return;
        }
  });
}

TEST(AttentionKernel, KeysBehindMinusInfinityHaveNoWeight) {
  for_each_target([&](const std::string&) {
    for (const int64_t window : {16, 17, 35, 49})
      for (const bool bf16 : {false, true}) {
        Windows windows(window);
        windows.op.bf16 = bf16;
        windows.add_bias(), windows.add_mask();
        // Query i sees nothing but key i; the last query of a window sees the last key.
        for (int64_t i = 0; i < static_cast<int64_t>(windows.mask.size()); ++i)
          windows.mask[i] = i / window % window == i % window ? 0.0F : -INFINITY;
        run(windows.op);
        const Plain plain(windows.op);
        for (int64_t group = 0; group < Windows::kGroups; ++group)
          for (int64_t i = 0; i < window; ++i)
            for (int64_t d = 0; d < windows.op.value_dim; ++d) {
              const double value = plain.value(0, group, 1, i, d);
              const int64_t row = windows.table[group * window + i];
              const float result =
                  windows.op.out[row * windows.op.out_row_stride + windows.op.out_head_stride + d];
              ASSERT_NEAR(result, value, bf16 ? 4e-3 : 2e-7) << window << " row " << i;
            }
      }
  });
}

TEST(AttentionKernel, RowsWithoutKeysAreNanAndAlone) {
  for_each_target([&](const std::string&) {
    for (const int64_t window : {17, 35, 49})
      for (const bool bf16 : {false, true}) {
        Windows windows(window);
        windows.op.bf16 = bf16;
        windows.add_mask();
        run(windows.op);
        const std::vector<float> before(windows.out.span().begin(), windows.out.span().end());
        const int64_t blind = window / 2;  // of the first window, in each head and image
        std::fill_n(windows.mask.begin() + blind * window, window, -INFINITY);
        run(windows.op);
        const int64_t width = windows.op.out_row_stride;
        for (size_t i = 0; i < before.size(); ++i) {
          const int64_t row = static_cast<int64_t>(i) / width % (Windows::kGroups * window);
          if (row == windows.table[blind])
            ASSERT_TRUE(std::isnan(windows.out.data()[i]));
          else
            ASSERT_EQ(windows.out.data()[i], before[i]) << "row " << row;
        }
      }
  });
}

TEST(AttentionKernel, LargeScoresDoNotOverflow) {
  for_each_target([](const std::string&) {
    PackedHeads heads(1, 40, 1, 16);
    for (float& value : heads.qkv.span()) value *= 40;
    run(heads.op);
    expect_attention(heads.op, 1e-2);  // scores of thousands keep three digits behind the point
    for (const float value : heads.out.span()) ASSERT_TRUE(std::isfinite(value));
  });
}

TEST(AttentionKernel, SameBitsForAnyThreadsAndAnyNeighbours) {
  for_each_target([](const std::string&) {
    for (const bool bf16 : {false, true}) {
      PackedHeads heads(3, 197, 2, 24);
      heads.op.bf16 = bf16;
      const auto result = [&](int threads) {
        std::fill(heads.out.span().begin(), heads.out.span().end(), -1.0F);
        run(heads.op, threads);
        return std::vector<float>(heads.out.span().begin(), heads.out.span().end());
      };
      const auto whole = result(1);
      for (const int threads : {2, 3, 7}) {
        const auto other = result(threads);
        ASSERT_EQ(std::memcmp(other.data(), whole.data(), whole.size() * sizeof(float)), 0);
      }
      // The second image by itself.
      for (HeadRows* rows : {&heads.op.q, &heads.op.k, &heads.op.v})
        rows->data += rows->image_stride;
      heads.op.images = 1;
      const auto alone = result(2);
      ASSERT_EQ(std::memcmp(alone.data(), whole.data() + heads.op.out_image_stride,
                            heads.op.out_image_stride * sizeof(float)),
                0);
    }
  });
}

TEST(AttentionKernel, SameBitsForAnyNumberOfQueries) {
  for_each_target([](const std::string&) {
    for (const int64_t window : {17, 35, 49})
      for (const bool bf16 : {false, true}) {
        Windows windows(window);
        Attention& op = windows.op;
        op.bf16 = bf16;
        windows.add_bias(), windows.add_mask(), windows.use_cosine();
        run(op);
        const std::vector<float> whole(windows.out.span().begin(), windows.out.span().end());
        // The first queries of the first window: they stand elsewhere in other tiles.
        op.images = op.groups = 1;
        for (op.queries = 1; op.queries < window; ++op.queries) {
          std::fill(windows.out.span().begin(), windows.out.span().end(), -1.0F);
          run(op);
          for (int64_t i = 0; i < op.queries; ++i)
            ASSERT_EQ(std::memcmp(op.out + windows.table[i] * op.out_row_stride,
                                  whole.data() + windows.table[i] * op.out_row_stride,
                                  op.out_row_stride * sizeof(float)),
                      0)
                << window << " query " << i << " of " << op.queries;
        }
      }
  });
}

}  // namespace
}  // namespace saccade::runtime::kernels
