#include "runtime/clock.hpp"

#include <chrono>

namespace lanyard::runtime {

Now now() {
    using std::chrono::system_clock;
    const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch());
    return {steady_now(), wall.count()};
}

}  // namespace lanyard::runtime
