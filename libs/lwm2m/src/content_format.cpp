#include "lwm2m/content_format.hpp"

#include <array>

namespace lanyard::lwm2m {
namespace {

struct Row {
    ContentFormat format;
    std::string_view name;
    bool structured;
};

constexpr std::array kRows{
    Row{ContentFormat::text, "text", false},
    Row{ContentFormat::link_format, "link-format", false},
    Row{ContentFormat::opaque, "opaque", false},
    Row{ContentFormat::cbor, "cbor", false},
    Row{ContentFormat::senml_json, "senml-json", true},
    Row{ContentFormat::senml_cbor, "senml-cbor", true},
    Row{ContentFormat::senml_etch_json, "senml-etch-json", true},
    Row{ContentFormat::senml_etch_cbor, "senml-etch-cbor", true},
    Row{ContentFormat::old_text, "old-text", false},
    Row{ContentFormat::old_tlv, "old-tlv", true},
    Row{ContentFormat::old_json, "old-json", true},
    Row{ContentFormat::old_opaque, "old-opaque", false},
    Row{ContentFormat::tlv, "tlv", true},
    Row{ContentFormat::json, "json", true},
    Row{ContentFormat::lwm2m_cbor, "lwm2m-cbor", true},
};

}  // namespace

std::optional<ContentFormat> content_format_from(std::uint16_t number) {
    for (const auto& row : kRows) {
        if (number_of(row.format) == number) return row.format;
    }
    return std::nullopt;
}

std::optional<ContentFormat> content_format_from(std::string_view name) {
    for (const auto& row : kRows) {
        if (row.name == name) return row.format;
    }
    return std::nullopt;
}

std::string_view to_string(ContentFormat format) {
    for (const auto& row : kRows) {
        if (row.format == format) return row.name;
    }
    return "unknown";
}

bool is_structured(ContentFormat format) {
    for (const auto& row : kRows) {
        if (row.format == format) return row.structured;
    }
    return false;
}

}  // namespace lanyard::lwm2m
