#pragma once

#include <string_view>

namespace lanyard::telemetry {

// What this binary was built from, fixed at configure time. `commit` is "unknown" outside a git checkout.
struct BuildInfo {
    std::string_view version;
    std::string_view commit;
    std::string_view build_type;
};

BuildInfo build_info();

}  // namespace lanyard::telemetry
