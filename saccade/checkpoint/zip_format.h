#pragma once
// Numbers of the zip format (PKWARE's APPNOTE 6.3) that reader and writer share.

#include <cstdint>

namespace saccade::checkpoint::zip {

constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50;
constexpr uint32_t kDescriptorSignature = 0x08074b50, kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50, kLocatorSignature = 0x07064b50;

// Fixed parts of the records.
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56;
constexpr uint64_t kLocatorSize = 20;

constexpr uint16_t kDescriptorFlag = 0x0008, kUtf8Flag = 0x0800;
constexpr uint16_t kZip64Extra = 1;

// "See the zip64 field."
constexpr uint32_t kMax32 = 0xffffffff;
constexpr uint16_t kMax16 = 0xffff;

}  // namespace saccade::checkpoint::zip
