#include "device/notify_rules.hpp"

#include <cmath>

namespace lanyard::device {
namespace {

bool crosses(double threshold, double before, double after) {
    return (before > threshold) != (after > threshold);
}

}  // namespace

NotifyRules effective_rules(std::span<const lwm2m::Attributes> levels) {
    NotifyRules rules;
    for (const lwm2m::Attributes& level : levels) {
        if (level.pmin) rules.pmin_s = *level.pmin;
        if (level.pmax) rules.pmax_s = *level.pmax;
        if (level.gt) rules.gt = level.gt;
        if (level.lt) rules.lt = level.lt;
        if (level.st) rules.st = level.st;
        if (level.con) rules.confirmable = *level.con;
    }
    if (rules.pmax_s < rules.pmin_s) rules.pmax_s = 0;
    return rules;
}

bool condition_met(const NotifyRules& rules, const ValueHistory& value) {
    if (!rules.has_condition()) return value.current != value.notified;
    if (rules.gt && crosses(*rules.gt, value.previous, value.current)) return true;
    if (rules.lt && crosses(*rules.lt, value.previous, value.current)) return true;
    return rules.st && std::abs(value.current - value.notified) >= *rules.st;
}

}  // namespace lanyard::device
