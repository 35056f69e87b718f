#pragma once

#include "lwm2m/path.hpp"

namespace lanyard::lwm2m {

// Security, OSCORE and COSE hold keys: no server may touch them, devices answer 4.01 to everything there and must not
// announce them (Core 1.2 section 6.3 and appendix E).
constexpr bool is_hidden_object(ObjectId id) {
    return id == 0 || id == 21 || id == 23;
}

}  // namespace lanyard::lwm2m
