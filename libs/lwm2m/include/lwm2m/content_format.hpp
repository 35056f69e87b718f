#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lanyard::lwm2m {

// The CoAP Content-Format numbers that LwM2M 1.0 to 1.2 uses, and their forerunners from before IANA gave numbers.
enum class ContentFormat : std::uint16_t {
    text = 0,
    link_format = 40,
    opaque = 42,
    cbor = 60,
    senml_json = 110,
    senml_cbor = 112,
    senml_etch_json = 320,
    senml_etch_cbor = 322,
    old_text = 1541,
    old_tlv = 1542,
    old_json = 1543,
    old_opaque = 1544,
    tlv = 11542,
    json = 11543,
    lwm2m_cbor = 11544,
};

// The enumerator for a number on the wire; nullopt for a number that LwM2M does not use.
std::optional<ContentFormat> content_format_from(std::uint16_t number);
// The number as CoAP carries it.
constexpr std::uint16_t number_of(ContentFormat format) {
    return static_cast<std::uint16_t>(format);
}
// "text", "tlv", "senml-json", … as configuration and the command line spell them.
std::string_view to_string(ContentFormat format);
// The inverse of to_string; nullopt for any other text.
std::optional<ContentFormat> content_format_from(std::string_view name);
// True when one payload can hold several values (TLV, SenML).
bool is_structured(ContentFormat format);

}  // namespace lanyard::lwm2m
