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

// Compares what is wanted with the states that are stored. States of another generation mean nothing: a Register
// voids all observations (LwM2M core 1.2 section 6.4.1). What failed in this generation is left alone unless `retry`
// names it.
[[nodiscard]] Plan make_plan(std::span<const Wanted> wanted, std::span<const ObservationState> states,
                             std::uint32_t generation, std::span<const SpecId> retry);

}  // namespace lanyard::observation
