#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "lwm2m/version.hpp"

namespace lanyard::lwm2m {

// Why a Register, Update or De-register is refused. The one map to CoAP codes is lwm2m_coap/error_map.hpp.
enum class RegisterFailure {
    bad_request,          // 4.00: a parameter or the payload is malformed, or the identity does not match
    forbidden,            // 4.03: this endpoint may not register here
    not_found,            // 4.04: no such registration (any more)
    objects_unknown,      // 4.09: neither payload nor profile id tells the object list
    unsupported_version,  // 4.12
    too_large,            // 4.13
    unsupported_format,   // 4.15: the payload is not link format
    overloaded,           // 5.03: a store does not answer or a bound is full; try again
};

std::string_view to_string(RegisterFailure failure);

// A refusal with a sentence for the diagnostic payload.
struct RegisterError {
    RegisterFailure failure = RegisterFailure::bad_request;
    std::string message{};
};

[[noreturn]] inline void throw_exception_from_error(const RegisterError& error, const boost::source_location& where) {
    throw_exception_from_error(make_error(Errc::invalid_argument, error.message), where);
}

template <class T>
using RegisterResult = boost::system::result<T, RegisterError>;

// Transports by the letters of the `b` parameter; bits may be combined.
enum class Transport : std::uint8_t { udp = 1, tcp = 2, sms = 4, non_ip = 8, mqtt = 16, http = 32 };

// A set of transports: the `b` parameter without queue mode.
struct Transports {
    std::uint8_t bits = static_cast<std::uint8_t>(Transport::udp);
    [[nodiscard]] bool has(Transport t) const { return (bits & static_cast<std::uint8_t>(t)) != 0; }
    // In the order U T S N M H.
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const Transports&, const Transports&) = default;
};

// What a server accepts beyond the letter of the specifications. The defaults are lenient, as devices in the field
// need it; tests and certification set all to false.
struct RegisterPolicy {
    bool allow_missing_lifetime = true;    // taken as kDefaultLifetime
    bool allow_missing_version = true;     // taken as 1.0
    bool allow_unknown_parameters = true;  // ignored
    bool allow_unknown_minor = true;       // any 1.x, else 1.0 to 1.2
    bool allow_missing_endpoint = true;    // the caller derives it from the identity
};

// Seconds; what servers fall back to when `lt` is missing.
inline constexpr std::uint32_t kDefaultLifetime = 86400;
// `lt=0`: the registration never expires by time (object 1 since version 1.1).
inline constexpr std::uint32_t kInfiniteLifetime = 0;

struct RegisterParameters {
    // Empty when the parameter is absent and the policy allows that.
    std::string endpoint{};
    std::uint32_t lifetime_s = kDefaultLifetime;
    Version version{};
    Transports transports{};
    bool queue_mode = false;
    // MSISDN without "+", or external identifier; empty when absent.
    std::string sms{};
    // Profile ids (1.2) as sent, one per element of the list.
    std::vector<std::string> profile_ids{};
};

// Only what the device wants changed.
struct UpdateParameters {
    std::optional<std::uint32_t> lifetime_s{};
    std::optional<Transports> transports{};
    // Set whenever `b` or `Q` is present: the two together state the whole binding.
    std::optional<bool> queue_mode{};
    std::optional<std::string> sms{};
    std::vector<std::string> profile_ids{};
    [[nodiscard]] bool is_keep_alive() const {
        return !lifetime_s && !transports && !queue_mode && !sms && profile_ids.empty();
    }
};

// Reads the Uri-Query options of a Register: ep, lt, lwm2m, b, Q, sms, pid in any order.
// Refused with bad_request: a duplicate, a bad endpoint name, `lt` that is not a number below 2^32, Q with a value,
// more than kMaxQueryParameters. Refused with unsupported_version: lwm2m that the policy does not take.
[[nodiscard]] RegisterResult<RegisterParameters> parse_register(std::span<const std::string_view> query,
                                                                const RegisterPolicy& policy = {});

// Reads the Uri-Query options of an Update: lt, b, Q, sms, pid. ep and lwm2m are ignored, as some devices repeat
// them. Refused as parse_register does.
[[nodiscard]] RegisterResult<UpdateParameters> parse_update(std::span<const std::string_view> query,
                                                            const RegisterPolicy& policy = {});

// The Uri-Query options of a Register, spelt for its version.
[[nodiscard]] std::vector<std::string> register_query(const RegisterParameters& parameters);

// An endpoint name: 1 to 255 bytes of UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F) and
// without '/', because names are parts of keys and resource names of the form tenants/{t}/devices/{ep}.
[[nodiscard]] bool is_valid_endpoint(std::string_view name);

}  // namespace lanyard::lwm2m
