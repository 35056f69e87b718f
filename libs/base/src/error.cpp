#include "base/error.hpp"

namespace lanyard {

std::string_view to_string(Errc code) {
    switch (code) {
        case Errc::invalid_argument:
            return "invalid_argument";
        case Errc::unsupported:
            return "unsupported";
        case Errc::too_large:
            return "too_large";
        case Errc::not_found:
            return "not_found";
        case Errc::already_exists:
            return "already_exists";
        case Errc::permission_denied:
            return "permission_denied";
        case Errc::failed_precondition:
            return "failed_precondition";
        case Errc::aborted:
            return "aborted";
        case Errc::resource_exhausted:
            return "resource_exhausted";
        case Errc::unavailable:
            return "unavailable";
        case Errc::deadline_exceeded:
            return "deadline_exceeded";
        case Errc::cancelled:
            return "cancelled";
        case Errc::internal:
            return "internal";
    }
    return "unknown";
}

}  // namespace lanyard
