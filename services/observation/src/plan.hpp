#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "desired.hpp"

namespace lanyard::observation {

// A desired observation with its interned number.
struct Wanted {
    Desired desired;
    SpecId spec = 0;
};

// What must happen so that a device has what it should have.
struct Plan {
    std::vector<Wanted> establish;  // in this order
    std::vector<SpecId> cancel;     // on the device
    std::vector<SpecId> erase;      // states that nobody asks for any more
};

struct PlanOptions {
    bool registered_anew = false;  // set everything up again, whatever the states say
    bool retry_failed = false;     // also what failed in this generation
};

// Compares what is wanted with the states that are stored. States of another generation mean nothing: a Register
// voids all observations (LwM2M core 1.2 section 6.4.1).
[[nodiscard]] Plan make_plan(std::span<const Wanted> wanted, std::span<const ObservationState> states,
                             std::uint32_t generation, PlanOptions options);

}  // namespace lanyard::observation
