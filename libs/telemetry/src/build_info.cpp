#include "telemetry/build_info.hpp"

namespace lanyard::telemetry {

BuildInfo build_info() {
    return {LANYARD_VERSION, LANYARD_COMMIT, LANYARD_BUILD_TYPE};
}

}  // namespace lanyard::telemetry
