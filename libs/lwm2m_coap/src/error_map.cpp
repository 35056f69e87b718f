#include "lwm2m_coap/error_map.hpp"

#include <array>

namespace lanyard::lwm2m_coap {
namespace {

using coap::Code;
using lwm2m::RegisterFailure;

struct ErrorRow {
    Errc error;
    Code code;
};

constexpr std::array kFromError{
    ErrorRow{Errc::invalid_argument, Code::bad_request},
    ErrorRow{Errc::unsupported, Code::unsupported_content_format},
    ErrorRow{Errc::too_large, Code::request_entity_too_large},
    ErrorRow{Errc::not_found, Code::not_found},
    ErrorRow{Errc::already_exists, Code::conflict},
    ErrorRow{Errc::permission_denied, Code::forbidden},
    ErrorRow{Errc::failed_precondition, Code::method_not_allowed},
    ErrorRow{Errc::aborted, Code::service_unavailable},
    ErrorRow{Errc::resource_exhausted, Code::service_unavailable},
    ErrorRow{Errc::unavailable, Code::service_unavailable},
    ErrorRow{Errc::deadline_exceeded, Code::service_unavailable},
    ErrorRow{Errc::cancelled, Code::service_unavailable},
    ErrorRow{Errc::internal, Code::internal_server_error},
};

struct FailureRow {
    RegisterFailure failure;
    Code code;
};

constexpr std::array kFromFailure{
    FailureRow{RegisterFailure::bad_request, Code::bad_request},
    FailureRow{RegisterFailure::forbidden, Code::forbidden},
    FailureRow{RegisterFailure::not_found, Code::not_found},
    FailureRow{RegisterFailure::objects_unknown, Code::conflict},
    FailureRow{RegisterFailure::unsupported_version, Code::precondition_failed},
    FailureRow{RegisterFailure::too_large, Code::request_entity_too_large},
    FailureRow{RegisterFailure::unsupported_format, Code::unsupported_content_format},
    FailureRow{RegisterFailure::overloaded, Code::service_unavailable},
};

struct CodeRow {
    Code code;
    Errc error;
};

constexpr std::array kFromCode{
    CodeRow{Code::bad_request, Errc::invalid_argument},
    CodeRow{Code::unauthorized, Errc::permission_denied},
    CodeRow{Code::bad_option, Errc::unsupported},
    CodeRow{Code::forbidden, Errc::permission_denied},
    CodeRow{Code::not_found, Errc::not_found},
    CodeRow{Code::method_not_allowed, Errc::failed_precondition},
    CodeRow{Code::not_acceptable, Errc::unsupported},
    CodeRow{Code::request_entity_incomplete, Errc::aborted},
    CodeRow{Code::conflict, Errc::aborted},
    CodeRow{Code::precondition_failed, Errc::failed_precondition},
    CodeRow{Code::request_entity_too_large, Errc::too_large},
    CodeRow{Code::unsupported_content_format, Errc::unsupported},
    CodeRow{Code::unprocessable_entity, Errc::invalid_argument},
    CodeRow{Code::too_many_requests, Errc::resource_exhausted},
    CodeRow{Code::internal_server_error, Errc::internal},
    CodeRow{Code::not_implemented, Errc::unsupported},
    CodeRow{Code::service_unavailable, Errc::unavailable},
    CodeRow{Code::gateway_timeout, Errc::deadline_exceeded},
};

}  // namespace

Code to_code(Errc error) {
    for (const auto& row : kFromError) {
        if (row.error == error) return row.code;
    }
    return Code::internal_server_error;
}

Code to_code(RegisterFailure failure) {
    for (const auto& row : kFromFailure) {
        if (row.failure == failure) return row.code;
    }
    return Code::internal_server_error;
}

Errc to_errc(Code code) {
    for (const auto& row : kFromCode) {
        if (row.code == code) return row.error;
    }
    // RFC 7252 section 5.9: an unknown code is treated as the generic one of its class.
    switch (coap::code_class(code)) {
        case 4:
            return Errc::invalid_argument;
        case 5:
            return Errc::unavailable;
        default:
            return Errc::internal;
    }
}

}  // namespace lanyard::lwm2m_coap
