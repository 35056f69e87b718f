#include <algorithm>
#include <string>

#include "device/operation.hpp"
#include "lwm2m/codec.hpp"
#include "lwm2m/link_format.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using lwm2m::ContentFormat;
using lwm2m::Path;

Answer fail(const Error& error) {
    return {code_for(error.code), std::nullopt, {}};
}

Answer done(const Result<void>& result) {
    if (!result) return fail(result.error());
    return {Code::changed, std::nullopt, {}};
}

// Text where one value is asked for by its own path, else the structured format.
ContentFormat default_format(const Path& path, const lwm2m::Records& records, ContentFormat preferred) {
    const bool single = records.size() == 1 && records[0].path == path;
    return single && lwm2m::type_of(records[0].value) != lwm2m::ValueType::opaque ? ContentFormat::text : preferred;
}

// Composites name their paths in SenML records without value.
Answer read_composite(const ResourceTree& tree, const Operation& operation, ContentFormat preferred) {
    const auto format = lwm2m::content_format_from(operation.content_format.value_or(0));
    if (!format || !lwm2m::is_structured(*format)) return {Code::unsupported_content_format, std::nullopt, {}};
    const Result<lwm2m::Records> wanted = lwm2m::decode(*format, operation.payload, {});
    if (!wanted) return {Code::bad_request, std::nullopt, {}};
    lwm2m::Records values;
    for (const lwm2m::Record& record : *wanted) {
        // A path that does not exist is left out (Core 1.2 section 6.3.7).
        static_cast<void>(tree.read(record.path, values));
    }
    const auto accepted = operation.accept ? lwm2m::content_format_from(*operation.accept) : std::optional(preferred);
    if (!accepted || !lwm2m::is_structured(*accepted)) return {Code::not_acceptable, std::nullopt, {}};
    Result<Bytes> payload = lwm2m::encode(*accepted, Path(), values);
    if (!payload) return {Code::not_acceptable, std::nullopt, {}};
    return {Code::content, accepted, std::move(*payload)};
}

Answer write(ResourceTree& tree, const Operation& operation, WriteMode mode) {
    const auto format = lwm2m::content_format_from(operation.content_format.value_or(0));
    if (!format || !lwm2m::is_supported(*format)) return {Code::unsupported_content_format, std::nullopt, {}};
    lwm2m::DecodeContext context;
    context.base = operation.path;
    const Result<lwm2m::Records> records = lwm2m::decode(*format, operation.payload, context);
    if (!records) return {Code::bad_request, std::nullopt, {}};
    return done(tree.write(operation.path, *records, mode));
}

void append_attributes(const lwm2m::Attributes& attributes, lwm2m::Link& link) {
    for (const std::string& item : lwm2m::to_query(attributes)) {
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos) continue;
        link.attributes.push_back({item.substr(0, equals), item.substr(equals + 1)});
    }
}

// A Discover of a resource shows what it inherits too (conformance LF-15).
lwm2m::Attributes shown_attributes(const ResourceTree& tree, const Path& path, const Path& base) {
    if (path != base || path.size() < 3) return tree.attributes(path);
    lwm2m::Attributes inherited = tree.attributes(path.prefix(1));
    inherited = lwm2m::merge(std::move(inherited), tree.attributes(path.prefix(2)));
    return lwm2m::merge(std::move(inherited), tree.attributes(path));
}

Answer discover(const ResourceTree& tree, const Operation& operation) {
    const std::vector<Path> paths = tree.list(operation.path);
    if (paths.empty()) return {Code::not_found, std::nullopt, {}};
    const std::size_t default_depth = operation.path.size() == 1 ? 2 : 1;
    const std::size_t deepest = operation.path.size() + operation.depth.value_or(default_depth);
    std::vector<lwm2m::Link> links;
    for (const Path& path : paths) {
        if (path.size() > deepest) continue;
        lwm2m::Link link;
        link.target = path.to_string();
        append_attributes(shown_attributes(tree, path, operation.path), link);
        links.push_back(std::move(link));
    }
    const std::string document = lwm2m::write_links(links);
    return {Code::content, ContentFormat::link_format, Bytes(document.begin(), document.end())};
}

}  // namespace

Code code_for(Errc error) {
    switch (error) {
        case Errc::invalid_argument:
            return Code::bad_request;
        case Errc::unsupported:
            return Code::unsupported_content_format;
        case Errc::too_large:
            return Code::request_entity_too_large;
        case Errc::not_found:
            return Code::not_found;
        case Errc::permission_denied:
            return Code::unauthorized;
        case Errc::failed_precondition:
            return Code::method_not_allowed;
        case Errc::resource_exhausted:
        case Errc::unavailable:
            return Code::service_unavailable;
        default:
            return Code::internal_server_error;
    }
}

Answer read_answer(const ResourceTree& tree, const Path& path, std::optional<std::uint16_t> accept,
                   ContentFormat preferred) {
    lwm2m::Records records;
    if (const Result<void> read = tree.read(path, records); !read) return fail(read.error());
    const auto format =
        accept ? lwm2m::content_format_from(*accept) : std::optional(default_format(path, records, preferred));
    if (!format || !lwm2m::is_supported(*format)) return {Code::not_acceptable, std::nullopt, {}};
    Result<Bytes> payload = lwm2m::encode(*format, path, records);
    if (!payload) return {Code::not_acceptable, std::nullopt, {}};
    return {Code::content, format, std::move(*payload)};
}

Answer serve(ResourceTree& tree, const Operation& operation, ContentFormat preferred) {
    switch (operation.kind) {
        case OperationKind::read:
        case OperationKind::observe:
        case OperationKind::cancel_observation:
            return read_answer(tree, operation.path, operation.accept, preferred);
        case OperationKind::discover:
            return discover(tree, operation);
        case OperationKind::write_replace:
            return write(tree, operation, WriteMode::replace);
        case OperationKind::write_update:
            return write(tree, operation, WriteMode::update);
        case OperationKind::write_attributes:
            return done(tree.set_attributes(operation.path, operation.attributes));
        case OperationKind::execute:
            return done(tree.execute(operation.path, operation.payload));
        case OperationKind::read_composite:
            return read_composite(tree, operation, preferred);
        case OperationKind::write_composite:
            return write(tree, operation, WriteMode::update);
    }
    return {Code::internal_server_error, std::nullopt, {}};
}

}  // namespace lanyard::device
