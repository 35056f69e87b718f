#pragma once

namespace lanyard {

// Prints the broken invariant with a backtrace and aborts. For bugs of ours, never for what a peer sent.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);

}  // namespace lanyard

// Stays on in release builds.
#define LANYARD_ASSERT(condition) ((condition) ? void(0) : ::lanyard::assert_failed(#condition, __FILE__, __LINE__))
