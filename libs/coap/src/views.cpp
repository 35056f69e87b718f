#include "coap/views.hpp"

namespace lanyard::coap {

std::string_view to_string(FailureReason reason) {
    switch (reason) {
        case FailureReason::timeout:
            return "timeout";
        case FailureReason::unacknowledged:
            return "unacknowledged";
        case FailureReason::reset:
            return "reset";
        case FailureReason::cancelled:
            return "cancelled";
        case FailureReason::too_large:
            return "too_large";
        case FailureReason::block_transfer:
            return "block_transfer";
    }
    return "unknown";
}

std::string_view to_string(SendStatus status) {
    switch (status) {
        case SendStatus::ok:
            return "ok";
        case SendStatus::queue_full:
            return "queue_full";
        case SendStatus::overloaded:
            return "overloaded";
        case SendStatus::too_large:
            return "too_large";
        case SendStatus::duplicate_cookie:
            return "duplicate_cookie";
        case SendStatus::token_in_use:
            return "token_in_use";
        case SendStatus::deadline_passed:
            return "deadline_passed";
    }
    return "unknown";
}

}  // namespace lanyard::coap
