#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

namespace lanyard {

// Why something failed, in the vocabulary that both CoAP and gRPC errors map to. The maps stand in one
// table each: lwm2m_coap/error_map.hpp (CoAP) and rpc/status.hpp (gRPC).
enum class Errc {
    invalid_argument,     // malformed or out of range; the sender must change the input
    unsupported,          // well formed, but a version, format or option that we do not take
    too_large,            // over a documented limit
    not_found,            // no such device, path, registration
    already_exists,       //
    permission_denied,    // the identity may not do this
    failed_precondition,  // the state forbids it now (method not allowed, stale epoch)
    aborted,              // lost a race (etag, epoch): read again and retry
    resource_exhausted,   // a bound of ours is full: retry later
    unavailable,          // a dependency does not answer: retry later
    deadline_exceeded,    // no answer in time; the effect is unknown
    cancelled,            // the caller went away
    internal,             // a bug of ours
};

std::string_view to_string(Errc code);

// An error as a value: what kind, and a sentence for people that says what, where and what is allowed.
struct Error {
    Errc code = Errc::internal;
    std::string message;
};

// Thrown only by Result::value() on an error, that is: only by a bug of ours or at start-up.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::runtime_error(error.message);
}

// Fallible functions return Result<T>. `if (!r) return r.error();` passes an error on.
template <class T>
using Result = boost::system::result<T, Error>;

inline Error make_error(Errc code, std::string message) {
    return Error{code, std::move(message)};
}

}  // namespace lanyard
