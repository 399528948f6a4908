#pragma once
// The one thing that EXIF and XMP metadata decide here: which way is up.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace saccade::image {

/// The orientation tag (0x0112) of the first directory of a TIFF structure ("II*\0..." or
/// "MM\0*..."); nothing if it is absent or the structure is broken, which is no error.
[[nodiscard]] std::optional<int> exif_orientation(std::span<const std::byte> tiff);

/// `tiff:Orientation="N"` or `<tiff:Orientation>N` anywhere in an XMP packet.
[[nodiscard]] std::optional<int> xmp_orientation(std::string_view packet);

}  // namespace saccade::image
