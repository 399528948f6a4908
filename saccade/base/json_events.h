#pragma once
// A strict JSON reader (RFC 8259) that tells what it meets, with the byte where it stands. It keeps
// no tree and does not recurse; memory is the depth of nesting and the string at hand.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace saccade {

/// Takes the events in document order. `offset` counts from the start of the file.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual void begin_object(uint64_t offset) = 0;
  virtual void end_object(uint64_t offset) = 0;
  virtual void begin_array(uint64_t offset) = 0;
  virtual void end_array(uint64_t offset) = 0;
  virtual void key(std::string name, uint64_t offset) = 0;
  virtual void string(std::string value, uint64_t offset) = 0;
  /// The number as it is spelled: `integer` if it has neither fraction nor exponent.
  virtual void number(std::string_view text, bool integer, uint64_t offset) = 0;
  virtual void boolean(bool value, uint64_t offset) = 0;
  virtual void null(uint64_t offset) = 0;
};

/// Where the text comes from.
struct JsonSource {
  std::string_view file;  ///< names the source in errors
  uint64_t origin = 0;    ///< offset of the text in that file
  int max_depth = 64;     ///< containers inside one another
};

/// One JSON value with white space around it and nothing else: no byte order mark, no NUL, no
/// comment, valid UTF-8, paired surrogate escapes. Equal keys are the receiver's concern.
/// Throws Error (bad_input) with the offset; exceptions of the receiver pass through.
void parse_json_events(std::string_view text, const JsonSource& source, JsonEvents& events);

/// The value of an integer as `number` spells it; false if it does not fit. "-0" is refused.
[[nodiscard]] bool parse_unsigned(std::string_view text, uint64_t& value);

}  // namespace saccade
