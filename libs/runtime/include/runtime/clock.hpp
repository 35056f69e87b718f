#pragma once

#include "base/time.hpp"

namespace lanyard::runtime {

// The real clocks. Only runtime and above read them; everything below is handed a Now.
Now now();
inline SteadyTime steady_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace lanyard::runtime
