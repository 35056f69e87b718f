#include "lwm2m/registration.hpp"

#include <algorithm>
#include <array>
#include <bitset>

#include "base/utf8.hpp"
#include "lwm2m/limits.hpp"
#include "number_text.hpp"

namespace lanyard::lwm2m {
namespace {

enum class Parameter : std::uint8_t { endpoint, lifetime, version, binding, queue, sms, profile, unknown };

struct ParameterName {
    std::string_view name;
    Parameter parameter;
};

constexpr std::array kParameters{
    ParameterName{"ep", Parameter::endpoint},   ParameterName{"lt", Parameter::lifetime},
    ParameterName{"lwm2m", Parameter::version}, ParameterName{"b", Parameter::binding},
    ParameterName{"Q", Parameter::queue},       ParameterName{"sms", Parameter::sms},
    ParameterName{"pid", Parameter::profile},
};

struct FailureName {
    RegisterFailure failure;
    std::string_view name;
};

constexpr std::array kFailures{
    FailureName{RegisterFailure::bad_request, "bad_request"},
    FailureName{RegisterFailure::forbidden, "forbidden"},
    FailureName{RegisterFailure::not_found, "not_found"},
    FailureName{RegisterFailure::objects_unknown, "objects_unknown"},
    FailureName{RegisterFailure::unsupported_version, "unsupported_version"},
    FailureName{RegisterFailure::too_large, "too_large"},
    FailureName{RegisterFailure::unsupported_format, "unsupported_format"},
    FailureName{RegisterFailure::overloaded, "overloaded"},
};

struct TransportLetter {
    Transport transport;
    char letter;
};

constexpr std::array kTransports{
    TransportLetter{Transport::udp, 'U'},  TransportLetter{Transport::tcp, 'T'},
    TransportLetter{Transport::sms, 'S'},  TransportLetter{Transport::non_ip, 'N'},
    TransportLetter{Transport::mqtt, 'M'}, TransportLetter{Transport::http, 'H'},
};

RegisterError bad(std::string message) {
    return {RegisterFailure::bad_request, std::move(message)};
}

struct Argument {
    Parameter parameter = Parameter::unknown;
    std::string_view name;
    std::string_view value;
    bool has_value = false;
};

Argument split(std::string_view text) {
    Argument argument;
    const auto equals = text.find('=');
    argument.name = text.substr(0, equals);
    argument.has_value = equals != std::string_view::npos;
    if (argument.has_value) argument.value = text.substr(equals + 1);
    for (const auto& row : kParameters) {
        if (row.name == argument.name) argument.parameter = row.parameter;
    }
    return argument;
}

struct Binding {
    Transports transports;
    bool queue_mode = false;
};

// Core 1.0 has the queue mode inside ("UQ", "SQ", "UQS"), later releases have one letter for each transport and a
// parameter Q. Both spellings are taken from every device; unknown letters are ignored.
Binding parse_binding(std::string_view text) {
    Binding binding;
    std::uint8_t bits = 0;
    for (const char c : text) {
        if (c == 'Q') binding.queue_mode = true;
        for (const auto& row : kTransports) {
            if (row.letter == c) bits = static_cast<std::uint8_t>(bits | static_cast<std::uint8_t>(row.transport));
        }
    }
    if (bits != 0) binding.transports.bits = bits;
    return binding;
}

// Core 1.2 section 6.2.1: one profile id or a quoted list of them, separated by commas.
RegisterResult<std::vector<std::string>> parse_profiles(std::string_view text) {
    if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
    const bool clean = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
    if (!clean || text.size() > kMaxProfileIdBytes) return bad("pid: too long, or characters that are not allowed");
    std::vector<std::string> profiles;
    while (true) {
        const auto comma = text.find(',');
        const std::string_view profile = text.substr(0, comma);
        const auto colon = profile.find(':');
        if (colon == std::string_view::npos || colon == 0 || colon + 1 == profile.size()) {
            return bad("pid: must be suite:value");
        }
        profiles.emplace_back(profile);
        if (comma == std::string_view::npos) return profiles;
        text.remove_prefix(comma + 1);
    }
}

// What Register and Update have in common; optional where the parameter was absent.
struct Parsed {
    std::bitset<8> seen;
    std::string_view endpoint;
    std::string_view version;
    std::optional<std::uint32_t> lifetime_s;
    std::optional<Binding> binding;
    bool queue_mode = false;
    std::optional<std::string> sms;
    std::vector<std::string> profile_ids;
};

RegisterResult<void> take_argument(const Argument& argument, Parsed& parsed) {
    switch (argument.parameter) {
        case Parameter::endpoint:
            parsed.endpoint = argument.value;
            return {};
        case Parameter::version:
            parsed.version = argument.value;
            return {};
        case Parameter::lifetime: {
            const auto seconds = parse_uint64(argument.value);
            if (!seconds || *seconds > UINT32_MAX) return bad("lt: must be a number of seconds below 2^32");
            parsed.lifetime_s = static_cast<std::uint32_t>(*seconds);
            return {};
        }
        case Parameter::binding:
            parsed.binding = parse_binding(argument.value);
            return {};
        case Parameter::queue:
            if (argument.has_value) return bad("Q: takes no value");
            parsed.queue_mode = true;
            return {};
        case Parameter::sms:
            if (argument.value.size() > kMaxSmsBytes || !is_utf8(argument.value)) return bad("sms: too long");
            parsed.sms = std::string(argument.value);
            return {};
        case Parameter::profile: {
            auto profiles = parse_profiles(argument.value);
            if (!profiles) return profiles.error();
            parsed.profile_ids = std::move(*profiles);
            return {};
        }
        case Parameter::unknown:
            break;
    }
    return {};
}

RegisterResult<Parsed> parse_query(std::span<const std::string_view> query, const RegisterPolicy& policy) {
    if (query.size() > kMaxQueryParameters) return bad("too many parameters");
    Parsed parsed;
    for (const auto text : query) {
        // RFC 7252 section 5.10.1: Uri-Query is text.
        if (!is_utf8(text)) return bad("query: not UTF-8");
        const Argument argument = split(text);
        if (argument.parameter == Parameter::unknown) {
            if (!policy.allow_unknown_parameters) return bad("unknown parameter");
            continue;
        }
        const auto index = static_cast<std::size_t>(argument.parameter);
        if (parsed.seen.test(index)) return bad(std::string(argument.name) + ": given twice");
        parsed.seen.set(index);
        if (argument.parameter != Parameter::queue && argument.value.empty()) {
            return bad(std::string(argument.name) + ": has no value");
        }
        if (auto taken = take_argument(argument, parsed); !taken) return taken.error();
    }
    return parsed;
}

bool has(const Parsed& parsed, Parameter parameter) {
    return parsed.seen.test(static_cast<std::size_t>(parameter));
}

RegisterResult<Version> version_of(const Parsed& parsed, const RegisterPolicy& policy) {
    if (!has(parsed, Parameter::version)) {
        if (!policy.allow_missing_version) return bad("lwm2m: missing");
        return Version{1, 0};
    }
    const auto version = Version::parse(parsed.version);
    if (!version) return bad("lwm2m: must be major.minor");
    constexpr std::uint8_t kNewestMinor = 2;
    if (version->major != 1 || (version->minor > kNewestMinor && !policy.allow_unknown_minor)) {
        return RegisterError{RegisterFailure::unsupported_version, "lwm2m: this server takes version 1.x"};
    }
    return *version;
}

}  // namespace

std::string_view to_string(RegisterFailure failure) {
    for (const auto& row : kFailures) {
        if (row.failure == failure) return row.name;
    }
    return "unknown";
}

std::string Transports::to_string() const {
    std::string text;
    for (const auto& row : kTransports) {
        if (has(row.transport)) text.push_back(row.letter);
    }
    return text;
}

RegisterResult<RegisterParameters> parse_register(std::span<const std::string_view> query,
                                                  const RegisterPolicy& policy) {
    auto parsed = parse_query(query, policy);
    if (!parsed) return parsed.error();
    const auto version = version_of(*parsed, policy);
    if (!version) return version.error();
    const bool has_endpoint = has(*parsed, Parameter::endpoint);
    if (!has_endpoint && !policy.allow_missing_endpoint) return bad("ep: missing");
    if (has_endpoint && !is_valid_endpoint(parsed->endpoint)) {
        return bad("ep: must be 1 to 255 bytes of UTF-8 without control characters and '/'");
    }
    if (!parsed->lifetime_s && !policy.allow_missing_lifetime) return bad("lt: missing");

    RegisterParameters parameters;
    parameters.endpoint = parsed->endpoint;
    parameters.lifetime_s = parsed->lifetime_s.value_or(kDefaultLifetime);
    parameters.version = *version;
    const Binding binding = parsed->binding.value_or(Binding{});
    parameters.transports = binding.transports;
    parameters.queue_mode = binding.queue_mode || parsed->queue_mode;
    parameters.sms = std::move(parsed->sms).value_or("");
    parameters.profile_ids = std::move(parsed->profile_ids);
    return parameters;
}

RegisterResult<UpdateParameters> parse_update(std::span<const std::string_view> query, const RegisterPolicy& policy) {
    auto parsed = parse_query(query, policy);
    if (!parsed) return parsed.error();
    UpdateParameters parameters;
    parameters.lifetime_s = parsed->lifetime_s;
    if (parsed->binding) parameters.transports = parsed->binding->transports;
    if (parsed->binding || parsed->queue_mode) {
        parameters.queue_mode = parsed->queue_mode || (parsed->binding && parsed->binding->queue_mode);
    }
    parameters.sms = std::move(parsed->sms);
    parameters.profile_ids = std::move(parsed->profile_ids);
    return parameters;
}

std::vector<std::string> register_query(const RegisterParameters& parameters) {
    const bool queue_in_binding = parameters.version < Version{1, 1};
    std::vector<std::string> query;
    if (!parameters.endpoint.empty()) query.push_back("ep=" + parameters.endpoint);
    query.push_back("lwm2m=" + parameters.version.to_string());
    query.push_back("lt=" + std::to_string(parameters.lifetime_s));
    std::string binding = parameters.transports.to_string();
    // "UQ", "SQ", "UQS": the Q follows the first letter.
    if (queue_in_binding && parameters.queue_mode) binding.insert(std::min<std::size_t>(1, binding.size()), "Q");
    if (binding != "U") query.push_back("b=" + binding);
    if (!queue_in_binding && parameters.queue_mode) query.emplace_back("Q");
    if (!parameters.sms.empty()) query.push_back("sms=" + parameters.sms);
    if (!parameters.profile_ids.empty()) {
        std::string list;
        for (const auto& profile : parameters.profile_ids) list.append(list.empty() ? "" : ",").append(profile);
        query.push_back(parameters.profile_ids.size() == 1 ? "pid=" + list : "pid=\"" + list + "\"");
    }
    return query;
}

bool is_valid_endpoint(std::string_view name) {
    if (name.empty() || name.size() > kMaxEndpointBytes || !is_utf8(name)) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(name[i]);
        if (byte < 0x20 || byte == 0x7f || byte == '/') return false;
        // U+0080 to U+009F are C2 80 to C2 9F.
        if (byte == 0xc2 && static_cast<std::uint8_t>(name[i + 1]) < 0xa0) return false;
    }
    return true;
}

}  // namespace lanyard::lwm2m
