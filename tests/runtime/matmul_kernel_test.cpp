#include "saccade/runtime/kernels/matmul.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "saccade/base/dtype.h"
#include "tests/runtime/kernel_support.h"

namespace saccade::runtime::kernels {
namespace {

using test::Exact;
using test::for_each_target;
using test::random_floats;

constexpr DType kTypes[] = {DType::F32, DType::BF16, DType::I8};

/// Weights [n][k] in panels, and the values that the panels stand for.
struct Weights {
  Weights(DType type, int64_t n, int64_t k, uint32_t seed)
      : type_(type), panels(ops::panel_bytes(type, n, k)) {
    const auto source = random_floats(n * k, seed);
    const ops::MatrixView view{source.data(), n, k, k, 1};
    if (type == DType::I8)
      columns = ops::pack_int8_panels(view, panels.span());
    else
      ops::pack_panels(type, view, panels.span());
    values = ops::unpack_panels(type, panels.span(), n, k);
  }
  [[nodiscard]] Right right() const {
    return {type_, panels.data(), columns.scale.data(), columns.sum.data()};
  }

  DType type_;
  Exact<std::byte> panels;
  ops::Int8Columns columns;
  std::vector<float> values;
};

void run(const Matmul& op, int threads = 1) {
  Pool pool(threads);
  const Exact<std::byte> scratch(matmul_scratch(op, threads));
  matmul(op, pool, scratch.span());
  EXPECT_TRUE(scratch.intact());
}

/// What becomes of row x of A: the values that are multiplied, and their error's bound.
struct PlainRow {
  std::vector<double> values;
  double rounding = 0;  // relative, of each value
};

PlainRow plain_row(const std::vector<double>& x, const Matmul& op) {
  PlainRow row{x, 0};
  if (op.right.type == DType::BF16) row.rounding = 1.0 / 256;
  if (op.right.type != DType::I8) return row;
  double largest = 0;
  for (const double v : x) largest = std::max(largest, std::abs(v));
  const auto& q = op.left.quantisation;
  const float scale = q.scale > 0 ? q.scale : largest > 0 ? static_cast<float>(largest) / 127 : 1;
  const float zero = q.scale > 0 ? static_cast<float>(q.zero) : 128;
  const float inverse = 1 / scale;
  for (double& v : row.values) {
    const float quantised =
        std::clamp(std::nearbyint(static_cast<float>(v) * inverse) + zero, 0.0F, 255.0F);
    v = static_cast<double>(quantised - zero) * scale;
  }
  return row;
}

struct Expected {
  double value, error;
};

/// The sum of one element with double precision, and how far a kernel may be from it.
Expected plain_sum(const Matmul& op, const PlainRow& row, const Weights& weights, int64_t n) {
  double sum = 0, magnitude = 0;
  for (int64_t i = 0; i < op.k; ++i) {
    const double scale = op.right.type == DType::I8 ? weights.columns.scale[n] : 1;
    const double product = row.values[i] * weights.values[n * op.k + i] * scale;
    sum += product;
    magnitude += std::abs(product);
  }
  return {sum, magnitude * (row.rounding / 2 + 1e-7 * std::sqrt(static_cast<double>(op.k)) + 2e-7)};
}

double finish(const Epilogue& e, double sum, int64_t m, int64_t n) {
  if (e.bias != nullptr) sum += e.bias[n];
  if (e.row_bias != nullptr) sum += e.row_bias[m];
  return test::activate(e.activation, sum);
}

/// Compares C (dense rows) with plain loops over dense rows of A.
void expect_product(const Matmul& op, const std::vector<std::vector<double>>& rows,
                    const Weights& weights, const float* c, const float* residual) {
  for (int64_t m = 0; m < op.m; ++m) {
    const PlainRow row = plain_row(rows[m], op);
    for (int64_t n = 0; n < op.n; ++n) {
      const auto [sum, error] = plain_sum(op, row, weights, n);
      const double residue = residual != nullptr ? residual[m * op.n + n] : 0;
      const double want = finish(op.epilogue, sum, m, n) + residue;
      const double rounding = op.epilogue.activation == Activation::gelu ? 2e-6 : 4e-7;
      const double slack =
          2 * error + rounding * (std::abs(want) + std::abs(sum) + std::abs(residue));
      ASSERT_NEAR(c[m * op.n + n], want, slack)
          << op.m << "x" << op.n << "x" << op.k << " at " << m << "," << n << " type "
          << static_cast<int>(op.right.type);
    }
  }
}

std::vector<std::vector<double>> dense_rows(const std::vector<float>& a, int64_t m, int64_t k) {
  std::vector<std::vector<double>> rows;
  for (int64_t i = 0; i < m; ++i) rows.emplace_back(a.begin() + i * k, a.begin() + (i + 1) * k);
  return rows;
}

/// A dense product of that shape, checked.
void check_shape(DType type, int64_t m, int64_t n, int64_t k, int threads = 1) {
  const auto source = random_floats(m * k, 1);
  const Exact<float> a(m * k), c(m * n);
  std::copy(source.begin(), source.end(), a.data());
  const Weights weights(type, n, k, 2);
  Matmul op;
  op.m = m, op.n = n, op.k = k;
  op.left.data = a.data();
  op.left.row_stride = k;
  op.right = weights.right();
  op.out.data = c.data();
  op.out.row_stride = n;
  run(op, threads);
  EXPECT_TRUE(c.intact());
  expect_product(op, dense_rows(source, m, k), weights, c.data(), nullptr);
}

TEST(MatmulKernel, EverySmallShape) {
  for_each_target([](const std::string&) {
    for (const DType type : kTypes) {
      for (int64_t i = 1; i <= 70; ++i) {  // each of M, N and K takes every value from 1 to 70
        check_shape(type, i, 1 + i * 7 % 70, 1 + i * 11 % 70);
        check_shape(type, 1 + i * 13 % 70, i, 1 + i * 3 % 70);
        check_shape(type, 1 + i * 17 % 70, 1 + i * 19 % 70, i);
      }
    }
  });
}

TEST(MatmulKernel, LargeShapes) {
  for_each_target([](const std::string&) {
    for (const DType type : kTypes) {
      check_shape(type, 197, 50, 300, 2);
      check_shape(type, 3, 1000, 70, 2);
      check_shape(type, 901, 35, 97, 2);   // tasks are blocks of rows
      check_shape(type, 20, 17, 4500, 2);  // blocks of K, also with int8
    }
  });
}

TEST(MatmulKernel, EpiloguesAndStrides) {
  const int64_t m = 46, n = 45, k = 40, a_row = k + 3, c_row = n + 5;
  const auto a = random_floats(m * a_row, 3), bias = random_floats(n, 4);
  const auto row_bias = random_floats(m, 5), residual = random_floats(m * c_row, 7);
  std::vector<std::vector<double>> dense_a;
  for (int64_t i = 0; i < m; ++i)
    dense_a.emplace_back(a.begin() + i * a_row, a.begin() + i * a_row + k);
  std::vector<float> dense_residual(m * n);
  for (int64_t i = 0; i < m; ++i)
    std::copy_n(residual.begin() + i * c_row, n, dense_residual.begin() + i * n);
  enum class Bias { none, columns, rows };
  enum class Residual { none, apart, in_place };
  const auto check = [&](DType type, Activation activation, Bias biased, Residual added) {
    const Weights weights(type, n, k, 8);
    std::vector<float> c = residual, dense(m * n);
    Matmul op;
    op.m = m, op.n = n, op.k = k;
    op.left.data = a.data();
    op.left.row_stride = a_row;
    op.right = weights.right();
    op.epilogue.activation = activation;
    op.epilogue.bias = biased == Bias::columns ? bias.data() : nullptr;
    op.epilogue.row_bias = biased == Bias::rows ? row_bias.data() : nullptr;
    if (added != Residual::none)
      op.epilogue.residual = added == Residual::in_place ? c.data() : residual.data();
    op.out = {c.data(), c_row};
    run(op, 2);
    for (int64_t i = 0; i < m; ++i) {
      std::copy_n(c.begin() + i * c_row, n, dense.begin() + i * n);
      for (int64_t j = n; j < c_row; ++j) ASSERT_EQ(c[i * c_row + j], residual[i * c_row + j]);
    }
    expect_product(op, dense_a, weights, dense.data(),
                   added != Residual::none ? dense_residual.data() : nullptr);
  };
  for_each_target([&](const std::string&) {
    for (const DType type : kTypes)
      for (const Activation activation : test::kActivations)
        for (const Bias biased : {Bias::none, Bias::columns, Bias::rows})
          for (const Residual added : {Residual::none, Residual::apart, Residual::in_place}) {
            if (biased == Bias::rows && type == DType::I8) continue;
            check(type, activation, biased, added);
            if (HasFatalFailure()) return;
          }
  });
}

TEST(MatmulKernel, StaticQuantisationClamps) {
  const int64_t m = 17, n = 33, k = 29;
  const auto a = random_floats(m * k, 1, 2);
  for_each_target([&](const std::string&) {
    const Weights weights(DType::I8, n, k, 4);
    std::vector<float> c(m * n);
    Matmul op;
    op.m = m, op.n = n, op.k = k;
    op.left.data = a.data();
    op.left.row_stride = k;
    op.left.quantisation = {0.01F, 100};  // reaches from -1.00 to 1.55
    op.right = weights.right();
    op.out.data = c.data();
    op.out.row_stride = n;
    run(op, 2);
    expect_product(op, dense_rows(a, m, k), weights, c.data(), nullptr);
  });
}

TEST(MatmulKernel, ExtremeBytesDoNotSaturate) {
  // 255 * 127 in every pair: instructions that add pairs in 16 bits with saturation would fail.
  const int64_t m = 5, n = 16, k = 64;
  const std::vector<float> a(m * k, 100.0F), w(n * k, 1.0F);
  for_each_target([&](const std::string&) {
    const Exact<std::byte> panels(ops::panel_bytes(DType::I8, n, k));
    const auto columns = ops::pack_int8_panels({w.data(), n, k, k, 1}, panels.span());
    std::vector<float> c(m * n);
    Matmul op;
    op.m = m, op.n = n, op.k = k;
    op.left.data = a.data();
    op.left.row_stride = k;
    op.left.quantisation = {100.0F / 255, 0};
    op.right = {DType::I8, panels.data(), columns.scale.data(), columns.sum.data()};
    op.out.data = c.data();
    op.out.row_stride = n;
    run(op);
    for (const float value : c) ASSERT_NEAR(value, 6400.0F, 0.01F);
  });
}

/// A convolution by six loops; x [images][channels][h][w] through the strides of p.
std::vector<std::vector<double>> patch_rows(const Patches& p, const std::vector<float>& x,
                                            int64_t images) {
  std::vector<std::vector<double>> rows;
  const auto read = [&](int64_t image, int64_t c, int64_t y, int64_t column) {
    if (y < 0 || y >= p.height || column < 0 || column >= p.width) return 0.0F;
    return x[image * p.image_stride + c * p.channel_stride + y * p.y_stride + column * p.x_stride];
  };
  for (int64_t i = 0; i < images * p.out_h * p.out_w; ++i) {
    std::vector<double> row;
    const int64_t y0 = i / p.out_w % p.out_h * p.stride_h - p.pad_h;
    const int64_t x0 = i % p.out_w * p.stride_w - p.pad_w;
    const int64_t outer = p.channels_last ? 1 : p.channels,
                  inner = p.channels_last ? p.channels : 1;
    for (int64_t c = 0; c < outer; ++c)
      for (int64_t ky = 0; ky < p.kernel_h; ++ky)
        for (int64_t kx = 0; kx < p.kernel_w; ++kx)
          for (int64_t d = 0; d < inner; ++d)
            row.push_back(read(i / (p.out_h * p.out_w), c + d, y0 + ky * p.dilation_h,
                               x0 + kx * p.dilation_w));
    rows.push_back(row);
  }
  return rows;
}

TEST(MatmulKernel, ConvolutionPatches) {
  for (const bool last : {false, true})
    for (const int64_t dilation : {1, 2})
      for (const int64_t pad : {0, 1, 4})
        for (const int64_t stride : {1, 3}) {
          Patches p;
          p.channels = 5, p.height = 9, p.width = 11;
          p.image_stride = 5 * 9 * 11;
          p.channel_stride = last ? 1 : 99, p.y_stride = last ? 55 : 11, p.x_stride = last ? 5 : 1;
          p.kernel_h = 3, p.kernel_w = 4, p.stride_h = stride, p.stride_w = stride + 1;
          p.pad_h = pad, p.pad_w = pad, p.dilation_h = dilation, p.dilation_w = dilation;
          p.out_h = (9 + 2 * pad - dilation * 2 - 1) / p.stride_h + 1;
          p.out_w = (11 + 2 * pad - dilation * 3 - 1) / p.stride_w + 1;
          p.channels_last = last;
          const int64_t images = 2, n = 19, k = 60;
          const auto x = random_floats(images * p.image_stride, 9);
          const Weights weights(DType::F32, n, k, 4);
          Matmul op;
          op.m = images * p.out_h * p.out_w, op.n = n, op.k = k;
          std::vector<float> c(op.m * n);
          op.left.data = x.data();
          op.left.patches = &p;
          op.right = weights.right();
          op.out.data = c.data();
          op.out.row_stride = n;
          run(op, 2);
          expect_product(op, patch_rows(p, x, images), weights, c.data(), nullptr);
          if (HasFatalFailure()) return;
        }
}

TEST(MatmulKernel, BatchesAndActivationPanels) {
  // Each image: C = W . X with X [k][n] in memory, as the token mixing of an MLP-Mixer.
  const int64_t batch = 3, m = 37, n = 52, k = 45;
  const auto w = random_floats(m * k, 1), x = random_floats(batch * k * n, 2);
  const auto row_bias = random_floats(m, 3);
  for_each_target([&](const std::string&) {
    for (const DType type : {DType::F32, DType::BF16}) {
      Pool pool(2);
      const Exact<std::byte> panels(batch * ops::panel_bytes(type, n, k));
      pack_right({x.data(), batch, k, n}, type, panels.span(), pool);
      EXPECT_TRUE(panels.intact());
      std::vector<float> c(batch * m * n);
      Matmul op;
      op.m = m, op.n = n, op.k = k, op.batch = batch;
      op.left.data = w.data();
      op.left.row_stride = k;
      op.right = {type, panels.data(), nullptr, nullptr};
      op.right_batch_stride = ops::panel_bytes(type, n, k);
      op.epilogue.row_bias = row_bias.data();
      op.out = {c.data(), n};
      op.out_batch_stride = m * n;
      run(op, 2);
      for (int64_t b = 0; b < batch; ++b)
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            double want = row_bias[i], magnitude = 0;
            for (int64_t d = 0; d < k; ++d) {
              const double product = double{w[i * k + d]} * x[b * k * n + d * n + j];
              want += product, magnitude += std::abs(product);
            }
            const double error = type == DType::F32 ? 2e-6 : 0.01;
            ASSERT_NEAR(c[(b * m + i) * n + j], want, error * magnitude);
          }
    }
  });
}

TEST(MatmulKernel, SameBitsForAnyThreadsAndAnyNeighbours) {
  for_each_target([](const std::string&) {
    for (const DType type : kTypes)
      for (const int64_t rows : {50, 333}) {  // 3 images: few rows, and blocks of rows
        const int64_t images = 3, n = 70, k = 1100, m = images * rows;
        const auto a = random_floats(m * k, 1), bias = random_floats(n, 2);
        const Weights weights(type, n, k, 3);
        Matmul op;
        op.m = m, op.n = n, op.k = k;
        op.left.data = a.data();
        op.left.row_stride = k;
        op.right = weights.right();
        op.epilogue.bias = bias.data();
        const auto result = [&](int threads) {
          std::vector<float> c(op.m * n);
          op.out = {c.data(), n};
          run(op, threads);
          return c;
        };
        const auto whole = result(1);
        for (const int threads : {2, 3, 7}) {
          const auto other = result(threads);
          ASSERT_EQ(std::memcmp(other.data(), whole.data(), whole.size() * sizeof(float)), 0);
        }
        op.m = rows;
        op.left.data = a.data() + rows * k;  // the second image by itself
        const auto alone = result(2);
        ASSERT_EQ(std::memcmp(alone.data(), whole.data() + rows * n, alone.size() * sizeof(float)),
                  0);
      }
  });
}

}  // namespace
}  // namespace saccade::runtime::kernels
