#include "saccade/runtime/kernels/attention_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tests/runtime/kernel_support.h"

namespace saccade::runtime::kernels {
namespace {

using test::Exact;
using test::for_each_target;
using test::random_floats;

/// Rows in exact memory each, so that sanitizers see a read behind their ends.
struct Rows {
  Rows(int64_t count, int64_t length) : data(count * (length + 3)) {
    const auto values = random_floats(count * (length + 3), 7);
    std::copy(values.begin(), values.end(), data.data());
    for (int64_t r = 0; r < count; ++r) rows.push_back(data.data() + r * (length + 3) + 3);
  }
  Exact<float> data;
  std::vector<const float*> rows;
};

float bf16_to_float(uint16_t half) { return std::bit_cast<float>(uint32_t{half} << 16); }

/// The packings of the instruction set in use, with the elements of a 32-bit word in each.
struct Packing {
  HeadPacking functions;
  int64_t depth;
};
std::vector<Packing> packings() {
  std::vector<Packing> all = {{head_functions().packing, 1}};
  if (kernel_table().tiles.bf16.format == RowFormat::bf16) all.push_back({avx512bf16_packing(), 2});
  return all;
}

float element(const std::byte* word, int64_t depth, int64_t i) {
  if (depth == 1) {
    float value;
    std::memcpy(&value, word, sizeof(value));
    return value;
  }
  uint16_t half;
  std::memcpy(&half, word + 2 * i, sizeof(half));
  return bf16_to_float(half);
}

void expect_packed(float got, float want, int64_t depth) {
  ASSERT_NEAR(got, want, depth == 1 ? 0.0 : std::abs(want) / 256);
}

TEST(AttentionRows, TilesHaveTheirRowsInPieces) {
  for_each_target([](const std::string&) {
    for (const auto& [functions, depth] : packings())
      for (int64_t length = 1; length <= 70; ++length) {
        const int64_t count = 1 + length % kMaxTileRows, piece = 16 * depth;
        const int64_t pieces = (length + piece - 1) / piece;
        const Rows source(count, length);
        const auto factors = random_floats(count, 3);
        Exact<std::byte> out(pieces * count * kPieceBytes);
        functions.tile(
            {source.rows.data(), factors.data(), count, length, out.data(), count * kPieceBytes});
        ASSERT_TRUE(out.intact());
        for (int64_t r = 0; r < count; ++r)
          for (int64_t i = 0; i < pieces * piece; ++i) {
            const std::byte* word =
                out.data() + (i / piece * count + r) * kPieceBytes + i % piece / depth * 4;
            const float want = i < length ? source.rows[r][i] * factors[r] : 0.0F;
            ASSERT_NO_FATAL_FAILURE(expect_packed(element(word, depth, i % depth), want, depth))
                << length << " row " << r << " element " << i;
          }
      }
  });
}

TEST(AttentionRows, ColumnsAndStepsOfPanels) {
  for_each_target([](const std::string&) {
    for (const auto& [functions, depth] : packings())
      for (int64_t length = 1; length <= 70; ++length) {
        const int64_t steps = (length + depth - 1) / depth;
        const Rows source(16, length);
        const auto factors = random_floats(16, 3);
        for (const bool scaled : {false, true}) {
          Exact<std::byte> panel(steps * kPieceBytes);
          functions.columns(
              {source.rows.data(), scaled ? factors.data() : nullptr, 16, length, panel.data(), 0});
          ASSERT_TRUE(panel.intact());
          for (int64_t column = 0; column < 16; ++column)
            for (int64_t i = 0; i < steps * depth; ++i) {
              const float x = i < length ? source.rows[column][i] : 0.0F;
              ASSERT_NO_FATAL_FAILURE(expect_packed(
                  element(panel.data() + (i / depth * 16 + column) * 4, depth, i % depth),
                  scaled ? x * factors[column] : x, depth))
                  << length << " column " << column << " element " << i;
            }
        }
        // The same rows as steps, an odd number of them.
        const int64_t count = 1 + length % 16, panels = (length + 15) / 16;
        const int64_t stride = (count + depth - 1) / depth * kPieceBytes;
        Exact<std::byte> out(panels * stride);
        functions.steps({source.rows.data(), nullptr, count, length, out.data(), stride});
        ASSERT_TRUE(out.intact());
        for (int64_t r = 0; r < count; ++r)
          for (int64_t c = 0; c < length; ++c) {
            const std::byte* word = out.data() + c / 16 * stride + (r / depth * 16 + c % 16) * 4;
            ASSERT_NO_FATAL_FAILURE(
                expect_packed(element(word, depth, r % depth), source.rows[r][c], depth))
                << length << " step " << r << " column " << c;
          }
        if (count % depth != 0) {
          ASSERT_EQ(element(out.data() + stride - kPieceBytes, depth, 1), 0);
        }
      }
  });
}

TEST(AttentionRows, UnitFactorsOfAnyLength) {
  for_each_target([](const std::string&) {
    for (int64_t length = 1; length <= 70; ++length) {
      const int64_t count = 1 + length % 16;
      const Rows source(count, length);
      std::fill_n(source.data.data() + 3, length, 0.0F);
      float factors[kTileRowRoom];
      head_functions().unit_factors(source.rows.data(), count, length, factors);
      EXPECT_FLOAT_EQ(factors[0], 1e12F);
      for (int64_t r = 1; r < count; ++r) {
        double sum = 0;
        for (int64_t i = 0; i < length; ++i) sum += double{source.rows[r][i]} * source.rows[r][i];
        ASSERT_NEAR(factors[r] * std::sqrt(sum), 1, 1e-6) << length;
      }
    }
  });
}

TEST(AttentionRows, WeightsAndTheirSums) {
  for_each_target([](const std::string&) {
    for (int64_t keys = 1; keys <= 70; ++keys)
      for (const bool lone : {false, true}) {
        if (lone && keys % 16 != 0) continue;
        const int64_t rows = 1 + keys % kMaxTileRows, pieces = keys / 16 + 1;
        Exact<float> scores(pieces * rows * 16);
        const auto x = random_floats(rows * (keys + 1), 9, 30);
        const auto at = [&](int64_t r, int64_t key) {
          return (key / 16 * rows + r) * 16 + key % 16;
        };
        std::fill(scores.span().begin(), scores.span().end(), NAN);  // beyond the keys
        float lone_scores[kTileRowRoom] = {}, inverse_sums[kTileRowRoom];
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t key = 0; key < keys; ++key)
            scores.data()[at(r, key)] = x[r * (keys + 1) + key];
          lone_scores[r] = x[r * (keys + 1) + keys];
        }
        SoftmaxTile tile{};
        tile.scores = scores.data();
        tile.rows = rows, tile.keys = keys;
        if (lone) tile.lone = lone_scores;
        tile.inverse_sums = inverse_sums;
        head_functions().softmax(tile);
        EXPECT_TRUE(scores.intact());
        const int64_t all = keys + (lone ? 1 : 0);
        for (int64_t r = 0; r < rows; ++r) {
          const float* row = x.data() + r * (keys + 1);
          const double largest = *std::max_element(row, row + all);
          double sum = 0;
          for (int64_t key = 0; key < all; ++key) sum += std::exp2(row[key] - largest);
          ASSERT_NEAR(inverse_sums[r] * sum, 1, 1e-6) << keys;
          // The difference of numbers up to 30 is rounded by 2e-6 at most.
          for (int64_t key = 0; key < all; ++key) {
            const double want = std::exp2(row[key] - largest);
            ASSERT_NEAR(scores.data()[at(r, key)], want, 3e-6 * want) << keys << " key " << key;
          }
        }
      }
  });
}

}  // namespace
}  // namespace saccade::runtime::kernels
