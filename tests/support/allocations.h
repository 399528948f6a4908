#pragma once
// Counts what the test program asks of operator new, to show that something allocates nothing.

#include <cstdint>

namespace saccade::test {

/// Calls of operator new so far, on all threads.
[[nodiscard]] int64_t allocations();

}  // namespace saccade::test
