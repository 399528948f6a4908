#include "saccade/data/sampler.h"

#include <algorithm>

#include "saccade/base/check.h"
#include "saccade/base/random.h"

namespace saccade::data {

std::vector<Pick> epoch_order(const SamplerOptions& o) {
  SACCADE_CHECK(o.size >= 0 && o.start >= 0 && o.batch_size > 0, "{} samples from {} in {}s",
                o.size, o.start, o.batch_size);
  SACCADE_CHECK(o.world > 0 && o.rank >= 0 && o.rank < o.world, "rank {} of {}", o.rank, o.world);
  std::vector<int64_t> order;
  if (o.shuffle) order = permutation(o.size, Random(o.seed, o.epoch, 0, "sampler"));
  int64_t end = o.size;
  if (o.drop_last && o.start < o.size) end -= (o.size - o.start) % (o.batch_size * o.world);
  std::vector<Pick> picks;
  picks.reserve(static_cast<size_t>(std::max<int64_t>(end - o.start, 0) / o.world + 1));
  for (int64_t position = o.start + o.rank; position < end; position += o.world)
    picks.push_back({position, o.shuffle ? order[static_cast<size_t>(position)] : position});
  return picks;
}

}  // namespace saccade::data
