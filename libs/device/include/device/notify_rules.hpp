#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "lwm2m/attributes.hpp"

namespace lanyard::device {

// The attributes in force for one observed path: what is attached to its levels, the deepest winning
// (Core 1.2 section 7.3.2).
struct NotifyRules {
    std::uint32_t pmin_s = 0;  // not sooner than this after the last notification
    std::uint32_t pmax_s = 0;  // 0: none
    std::optional<double> gt;
    std::optional<double> lt;
    std::optional<double> st;
    bool confirmable = false;

    [[nodiscard]] bool has_condition() const { return gt || lt || st; }
    friend bool operator==(const NotifyRules&, const NotifyRules&) = default;
};

// `levels` from the object down. A pmax below pmin is ignored.
[[nodiscard]] NotifyRules effective_rules(std::span<const lwm2m::Attributes> levels);

// A numeric value under observation.
struct ValueHistory {
    double notified = 0;  // what the last notification said
    double previous = 0;  // the sample before
    double current = 0;
};

// Whether the change calls for a notification: gt or lt crossed in either direction since the last sample, a step of
// at least st since the last notification, or any change when none of them is set. Times are the caller's business.
[[nodiscard]] bool condition_met(const NotifyRules& rules, const ValueHistory& value);

}  // namespace lanyard::device
