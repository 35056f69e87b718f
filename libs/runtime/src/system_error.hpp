#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace lanyard::runtime {

// The system's words for `error_number`; unlike strerror it may be called from any thread.
inline std::string error_text(int error_number = errno) {
    return std::generic_category().message(error_number);
}

}  // namespace lanyard::runtime
