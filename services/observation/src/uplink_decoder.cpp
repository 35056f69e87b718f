#include "uplink_decoder.hpp"

#include <limits>
#include <optional>

#include "base/bytes.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "lwm2m/codec.hpp"

namespace lanyard::observation {
namespace {

using events::v1::UplinkRecord;

constexpr std::uint32_t kFirstErrorCode = 0x80;  // 4.00

std::string_view phrase(std::uint32_t code) {
    switch (code) {
        case 0x80:
            return "Bad Request";
        case 0x81:
            return "Unauthorized";
        case 0x83:
            return "Forbidden";
        case 0x84:
            return "Not Found";
        case 0x85:
            return "Method Not Allowed";
        case 0x86:
            return "Not Acceptable";
        case 0x8d:
            return "Request Entity Too Large";
        case 0x8f:
            return "Unsupported Content-Format";
        case 0xa0:
            return "Internal Server Error";
        case 0xa1:
            return "Not Implemented";
        case 0xa3:
            return "Service Unavailable";
        default:
            return "";
    }
}

std::optional<lwm2m::ContentFormat> format_of(const UplinkRecord& record) {
    if (record.content_format() > std::numeric_limits<std::uint16_t>::max()) return {};
    return lwm2m::content_format_from(static_cast<std::uint16_t>(record.content_format()));
}

Decoded decode_payload(const UplinkRecord& record, const lwm2m::Path& base, bool composite) {
    std::optional<lwm2m::ContentFormat> format;
    if (record.has_content_format()) {
        format = format_of(record);
        if (!format || !lwm2m::is_supported(*format)) {
            return Rejection{"UNSUPPORTED_FORMAT",
                             "content format " + std::to_string(record.content_format()) + " is not supported"};
        }
    } else if (!composite && base.size() >= 3) {
        format = lwm2m::ContentFormat::text;
    } else {
        return Rejection{"MISSING_FORMAT", "the payload has no content format"};
    }
    lwm2m::DecodeContext context;
    context.base = base;
    context.received_ms = record.received_ms();
    context.root_path = record.root_path();
    auto decoded = lwm2m::decode(*format, as_bytes(record.payload()), context);
    if (decoded) return std::move(*decoded);
    const bool too_large = decoded.error().code == Errc::too_large;
    return Rejection{too_large ? "PAYLOAD_TOO_LARGE" : "UNDECODABLE_PAYLOAD", decoded.error().message};
}

Decoded decode_notification(const UplinkRecord& record, const SpecTable& specs) {
    if (record.coap_code() >= kFirstErrorCode) return Ended{code_text(record.coap_code())};
    if (record.observation_spec() == 0 || record.observation_spec() > std::numeric_limits<SpecId>::max()) {
        return Rejection{"UNKNOWN_SPEC", "observation number " + std::to_string(record.observation_spec()) +
                                             " is not one that was given away"};
    }
    const auto spec = specs.find(static_cast<SpecId>(record.observation_spec()));
    if (spec == nullptr) return UnknownSpec{};
    return decode_payload(record, spec->base, spec->spec.paths.size() != 1);
}

}  // namespace

Decoded decode_uplink(const UplinkRecord& record, const SpecTable& specs) {
    if (record.tenant().empty() || record.endpoint().empty()) {
        return Rejection{"INVALID_RECORD", "tenant or endpoint is missing"};
    }
    switch (record.kind()) {
        case UplinkRecord::KIND_NOTIFY:
            return decode_notification(record, specs);
        case UplinkRecord::KIND_SEND:
            return decode_payload(record, lwm2m::Path{}, true);
        default:
            return Rejection{"INVALID_RECORD", "unknown kind " + std::to_string(record.kind())};
    }
}

std::string code_text(std::uint32_t code) {
    std::string out = std::to_string(code >> 5);
    const std::uint32_t detail = code & 31;
    out += detail < 10 ? ".0" : ".";
    out += std::to_string(detail);
    if (const auto text = phrase(code); !text.empty()) out.append(" ").append(text);
    return out;
}

std::string_view format_label(const UplinkRecord& record) {
    if (!record.has_content_format()) return "none";
    const auto format = format_of(record);
    return format ? lwm2m::to_string(*format) : "other";
}

}  // namespace lanyard::observation
