#include "saccade/base/error.h"

namespace saccade {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed_check: return 1;
    case ErrorKind::usage: return 2;
    case ErrorKind::bad_input: return 3;
    case ErrorKind::not_supported: return 4;
    case ErrorKind::resources: return 5;
    case ErrorKind::interrupted: return 130;
  }
  return 1;
}

}  // namespace saccade
