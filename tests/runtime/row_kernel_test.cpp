#include <limits>

#include "saccade/runtime/kernels/row_ops.h"
#include "tests/runtime/kernel_support.h"

namespace saccade::runtime::kernels {
namespace {

using test::Exact;
using test::for_each_target;
using test::random_floats;

TEST(RowKernels, ActivationsAreAccurate) {
  std::vector<float> x = {0.0F, -0.0F, 1e-30F, -1e-30F, 1e-4F, -1e-4F, 30.0F, -30.0F, 1e30F};
  for (float value = -12; value < 12; value += 0.00137F) x.push_back(value);
  const auto count = static_cast<int64_t>(x.size());
  for_each_target([&](const std::string&) {
    Pool pool(2);
    for (const Activation which : test::kActivations) {
      std::vector<float> y(x.size());
      activate(which, x.data(), count, y.data(), pool);
      for (int64_t i = 0; i < count; ++i) {
        const double want = test::activate(which, x[i]);
        // Relative; the far tails of the gates below 1e-7 need not be exact. That of GELU, a
        // difference from max(x, 0), need not be closer than single precision is to 0.1.
        const bool gelu = which == Activation::gelu;
        const double relative = gelu ? 2e-6 : std::abs(want) > 4e-3 ? 1e-6 : 3e-6;
        const double tail = x[i] < -5.5F ? 1e-7 : gelu && x[i] < -2 ? 8e-9 : 1e-37;
        const double slack = relative * std::abs(want) + tail;
        ASSERT_NEAR(y[i], want, slack)
            << "activation " << static_cast<int>(which) << " of " << x[i];
      }
    }
  });
}

TEST(RowKernels, ActivationsOfInfinityAndNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {infinity, std::numeric_limits<float>::quiet_NaN(), -infinity};
  for_each_target([&](const std::string&) {
    Pool pool(1);
    for (const Activation which : test::kActivations) {
      std::vector<float> y(3);
      activate(which, x.data(), 3, y.data(), pool);
      EXPECT_EQ(y[0], which == Activation::sigmoid || which == Activation::tanh ? 1 : infinity);
      EXPECT_TRUE(std::isnan(y[1])) << static_cast<int>(which);
      const float lower = which == Activation::tanh ? -1.0F : 0.0F;
      EXPECT_TRUE(y[0] != 1 || std::abs(y[2] - lower) < 1e-37F) << y[2];
    }
  });
}

TEST(RowKernels, LayerNormOfAnyLength) {
  for_each_target([](const std::string&) {
    Pool pool(2);
    for (const int64_t n : {1, 2, 7, 15, 16, 17, 33, 70, 97, 768}) {
      const int64_t rows = 50;
      const auto source = random_floats(rows * n, 1), gamma = random_floats(n, 2);
      const auto beta = random_floats(n, 3), residual = random_floats(rows * n, 4);
      const Exact<float> x(rows * n), y(rows * n);
      for (int64_t i = 0; i < rows * n; ++i) x.data()[i] = 5 + source[i];
      const Norm norm{1e-6F, gamma.data(), beta.data()};
      layer_norm_rows(x.data(), rows, n, norm, residual.data(), y.data(), pool);
      EXPECT_TRUE(y.intact());
      for (int64_t r = 0; r < rows; ++r) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < n; ++i) mean += double{x.data()[r * n + i]} / n;
        for (int64_t i = 0; i < n; ++i) variance += std::pow(x.data()[r * n + i] - mean, 2) / n;
        const double deviation = std::sqrt(variance + 1e-6);
        for (int64_t i = 0; i < n; ++i) {
          const double want =
              (x.data()[r * n + i] - mean) / deviation * gamma[i] + beta[i] + residual[r * n + i];
          // The mean of numbers near 5 is known to 5e-7.
          ASSERT_NEAR(y.data()[r * n + i], want, 3e-6 * (1 + 1 / deviation)) << n;
        }
      }
    }
  });
}

TEST(RowKernels, SoftmaxOfAnyLength) {
  for_each_target([](const std::string&) {
    Pool pool(2);
    for (const int64_t n : {1, 3, 15, 16, 17, 49, 1000}) {
      const int64_t rows = 40;
      const auto x = random_floats(rows * n, 1, 20);
      Exact<float> y(rows * n);
      softmax_rows(x.data(), rows, n, y.data(), pool);
      EXPECT_TRUE(y.intact());
      for (int64_t r = 0; r < rows; ++r) {
        double largest = -INFINITY, sum = 0;
        for (int64_t i = 0; i < n; ++i) largest = std::max(largest, double{x[r * n + i]});
        for (int64_t i = 0; i < n; ++i) sum += std::exp(x[r * n + i] - largest);
        for (int64_t i = 0; i < n; ++i) {
          const double want = std::exp(x[r * n + i] - largest) / sum;
          // The difference of numbers up to 20 is rounded by 2e-6 at most.
          ASSERT_NEAR(y.data()[r * n + i], want, 3e-6 * want + 1e-30) << n;
        }
      }
    }
  });
}

TEST(RowKernels, SumsProductsAndMeans) {
  for_each_target([](const std::string&) {
    Pool pool(3);
    for (const int64_t n : {1, 5, 16, 31, 300}) {
      const int64_t rows = 37;
      const auto a = random_floats(rows * n, 1), b = random_floats(rows * n, 2);
      Exact<float> y(rows * n);
      const auto expect = [&](const auto& want) {
        EXPECT_TRUE(y.intact());
        for (int64_t i = 0; i < rows * n; ++i) ASSERT_EQ(y.data()[i], want(i)) << n << " " << i;
      };
      add(a.data(), b.data(), rows * n, y.data(), pool);
      expect([&](int64_t i) { return a[i] + b[i]; });
      multiply(a.data(), b.data(), rows * n, y.data(), pool);
      expect([&](int64_t i) { return a[i] * b[i]; });
      add_row(a.data(), b.data(), rows, n, y.data(), pool);
      expect([&](int64_t i) { return a[i] + b[i % n]; });
      multiply_row(a.data(), b.data(), rows, n, y.data(), pool);
      expect([&](int64_t i) { return a[i] * b[i % n]; });

      std::vector<float> mean(2 * n);
      mean_rows(a.data() + n, 2, 12 * n, 11, n, n, mean.data(), pool);
      for (int64_t i = 0; i < 2 * n; ++i) {
        double want = 0;
        for (int64_t r = 0; r < 11; ++r) want += a[(1 + i / n * 12 + r) * n + i % n] / 11.0;
        ASSERT_NEAR(mean[i], want, 1e-6);
      }
    }
  });
}

}  // namespace
}  // namespace saccade::runtime::kernels
