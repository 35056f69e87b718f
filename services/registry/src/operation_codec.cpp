#include "operation_codec.hpp"

#include <algorithm>

#include "lwm2m/hidden_object.hpp"

namespace lanyard::registry {
namespace {

using lwm2m::ContentFormat;

std::uint32_t uint_of(ByteView value) {
    return static_cast<std::uint32_t>(ByteReader(value).uint_be(std::min<std::size_t>(value.size(), 4)));
}

bool announces(const DeviceDialect& dialect, ContentFormat format) {
    const auto& formats = dialect.objects.formats;
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// The best structured format that the device announced; by its version when it announced none.
ContentFormat structured_format(const DeviceDialect& dialect) {
    for (const ContentFormat format : {ContentFormat::senml_cbor, ContentFormat::senml_json, ContentFormat::tlv}) {
        if (announces(dialect, format)) return format;
    }
    return dialect.version < lwm2m::Version{1, 1} ? ContentFormat::tlv : ContentFormat::senml_json;
}

}  // namespace

DeviceDialect dialect_of(const RegistrationInfo& registration) {
    DeviceDialect dialect;
    dialect.version = lwm2m::Version::parse(registration.lwm2m_version).value_or(lwm2m::Version{1, 0});
    auto objects = lwm2m::parse_object_list(registration.object_links, dialect.version);
    if (objects) dialect.objects = std::move(*objects);
    std::vector<std::pair<lwm2m::ObjectId, lwm2m::Version>> versions;
    for (const auto& object : dialect.objects.objects) versions.emplace_back(object.id, object.version);
    dialect.models = lwm2m::RegistryModels(versions);
    return dialect;
}

Result<lwm2m::Path> parse_operation_path(const std::string& text, std::size_t min) {
    auto path = lwm2m::Path::parse(text);
    if (!path) return path;
    if (path->size() < min) {
        return make_error(Errc::invalid_argument, "the path needs at least " + std::to_string(min) + " ids");
    }
    if (const auto object = path->object(); object && lwm2m::is_hidden_object(*object)) {
        return make_error(Errc::invalid_argument, "objects 0, 21 and 23 are not accessible to servers");
    }
    return path;
}

Result<ContentFormat> parse_format(std::uint32_t number) {
    const auto format =
        number <= 0xffff ? lwm2m::content_format_from(static_cast<std::uint16_t>(number)) : std::nullopt;
    if (format) return *format;
    return make_error(Errc::invalid_argument, "not a content format of LwM2M");
}

std::optional<ContentFormat> read_format(const DeviceDialect& dialect) {
    if (dialect.objects.formats.empty() && dialect.version >= lwm2m::Version{1, 1}) return std::nullopt;
    return structured_format(dialect);
}

ContentFormat write_format(const DeviceDialect& dialect, const lwm2m::Path& path, const lwm2m::Records& records) {
    const bool single = records.size() == 1 && records[0].path == path && path.size() >= 3;
    if (!single || dialect.version < lwm2m::Version{1, 1}) return structured_format(dialect);
    const auto model = dialect.models.resource(path[0], path[2]);
    if (model && model->multiple && path.size() == 3) return structured_format(dialect);
    const bool opaque = std::holds_alternative<Bytes>(records[0].value);
    return opaque ? ContentFormat::opaque : ContentFormat::text;
}

Result<internal::v1::CoapRequest> to_coap_request(const lwm2m_coap::Operation& operation) {
    const auto parts = lwm2m_coap::to_request(operation);
    if (!parts) return parts.error();
    internal::v1::CoapRequest out;
    out.set_method(static_cast<std::uint32_t>(parts->method));
    out.set_path(lwm2m_coap::path_of(operation).to_string());
    for (std::size_t i = 0; i < parts->options.size(); ++i) {
        const coap::OptionView option = parts->options[i];
        switch (option.number) {
            case coap::OptionNumber::uri_query:
                out.add_queries(to_string(option.value));
                break;
            case coap::OptionNumber::content_format:
                out.set_content_format(uint_of(option.value));
                break;
            case coap::OptionNumber::accept:
                out.set_accept(uint_of(option.value));
                break;
            default:
                break;
        }
    }
    out.set_payload(to_string(ByteView(parts->payload)));
    return out;
}

}  // namespace lanyard::registry
