#include "registry/device_record.hpp"

#include <algorithm>

namespace lanyard::registry {

std::uint32_t pledge_of(UnixMillis now_ms, std::uint32_t lifetime_s) {
    if (lifetime_s == 0) return 0;
    const std::int64_t pledge = now_ms / 1000 + 2 * std::int64_t{lifetime_s} + 60;
    return static_cast<std::uint32_t>(std::min<std::int64_t>(pledge, 0xfffffffeLL));
}

}  // namespace lanyard::registry
