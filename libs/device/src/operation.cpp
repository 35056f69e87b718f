#include "device/operation.hpp"

#include <array>
#include <charconv>
#include <string_view>

#include "device/limits.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using coap::OptionNumber;

// The Uri-Query options of a request, up to a bound.
struct Query {
    std::array<std::string_view, kMaxQueryOptions> items;
    std::size_t count = 0;
    bool overflow = false;

    [[nodiscard]] std::span<const std::string_view> all() const { return {items.data(), count}; }
};

Query query_of(const coap::MessageView& request) {
    Query query;
    for (const coap::OptionView& option : request.options()) {
        if (option.number != OptionNumber::uri_query) continue;
        if (query.count == query.items.size()) {
            query.overflow = true;
            break;
        }
        query.items[query.count++] = as_text(option.value);
    }
    return query;
}

ParsedOperation refuse(Code code) {
    return {code, {}};
}

std::optional<std::uint8_t> parse_depth(const Query& query) {
    for (const std::string_view item : query.all()) {
        if (!item.starts_with("depth=")) continue;
        std::uint8_t depth = 0;
        const std::string_view digits = item.substr(6);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), depth);
        if (error == std::errc() && end == digits.data() + digits.size() && depth <= 3) return depth;
    }
    return std::nullopt;
}

ParsedOperation parse_get(const coap::MessageView& request, Operation operation, const Query& query) {
    if (operation.accept == lwm2m::number_of(lwm2m::ContentFormat::link_format)) {
        operation.kind = OperationKind::discover;
        operation.depth = parse_depth(query);
        return {Code::empty, std::move(operation)};
    }
    if (operation.path.is_root()) return refuse(Code::method_not_allowed);
    const std::optional<std::uint32_t> observe = request.observe();
    if (observe == 0U) operation.kind = OperationKind::observe;
    if (observe == 1U) operation.kind = OperationKind::cancel_observation;
    return {Code::empty, std::move(operation)};
}

ParsedOperation parse_put(Operation operation, const Query& query) {
    if (operation.path.is_root()) return refuse(Code::method_not_allowed);
    if (query.count == 0) {
        operation.kind = OperationKind::write_replace;
        if (operation.path.size() < 2) return refuse(Code::method_not_allowed);
        return {Code::empty, std::move(operation)};
    }
    operation.kind = OperationKind::write_attributes;
    Result<lwm2m::Attributes> attributes = lwm2m::parse_attributes(query.all());
    if (!attributes || !operation.payload.empty()) return refuse(Code::bad_request);
    operation.attributes = std::move(*attributes);
    return {Code::empty, std::move(operation)};
}

ParsedOperation parse_post(Operation operation) {
    if (operation.path.size() < 2) return refuse(Code::method_not_allowed);
    const bool has_values = operation.content_format && *operation.content_format != 0;
    operation.kind = operation.path.size() == 3 && !has_values ? OperationKind::execute : OperationKind::write_update;
    return {Code::empty, std::move(operation)};
}

}  // namespace

ParsedOperation parse_operation(const coap::MessageView& request, ByteView payload) {
    const Result<lwm2m::Path> path = lwm2m::Path::parse(request.path());
    if (!path) return refuse(Code::not_found);
    const Query query = query_of(request);
    if (query.overflow) return refuse(Code::bad_request);
    Operation operation;
    operation.path = *path;
    operation.accept = request.accept();
    operation.content_format = request.content_format();
    operation.payload = payload;
    switch (request.code()) {
        case Code::get:
            return parse_get(request, std::move(operation), query);
        case Code::put:
            return parse_put(std::move(operation), query);
        case Code::post:
            return parse_post(std::move(operation));
        case Code::fetch:
            operation.kind = OperationKind::read_composite;
            break;
        case Code::ipatch:
            operation.kind = OperationKind::write_composite;
            break;
        default:
            return refuse(Code::method_not_allowed);
    }
    if (!operation.path.is_root()) return refuse(Code::method_not_allowed);
    return {Code::empty, std::move(operation)};
}

}  // namespace lanyard::device
