#include "lwm2m_coap/uplink.hpp"

namespace lanyard::lwm2m_coap {
namespace {

using coap::Code;
using coap::OptionNumber;
using lwm2m::ContentFormat;

// The options that matter here.
struct Request {
    std::array<std::string_view, 2> path{};
    std::size_t segments = 0;
    Uplink uplink;
    std::optional<std::uint64_t> format_number;
    bool too_many_arguments = false;
};

Request read_options(const coap::OptionRange& options) {
    Request request;
    for (const auto& option : options) {
        switch (option.number) {
            case OptionNumber::uri_path:
                if (request.segments < request.path.size()) request.path[request.segments] = as_text(option.value);
                ++request.segments;
                break;
            case OptionNumber::uri_query:
                if (!request.uplink.add_query(as_text(option.value))) request.too_many_arguments = true;
                break;
            case OptionNumber::content_format:
                request.format_number = coap::decode_uint(option.value);
                break;
            default:
                break;
        }
    }
    // "/rd/" comes as an empty last segment.
    if (request.segments == 2 && request.path[1].empty()) request.segments = 1;
    return request;
}

UplinkResult refuse(Code code, std::string_view reason) {
    return {std::nullopt, code, reason};
}

// Sets the kind; the refusal when path and method are of no request that a server takes.
std::optional<UplinkResult> find_kind(Code method, Request& request) {
    const std::string_view first = request.segments == 0 ? std::string_view() : request.path[0];
    if (first == "dp" && request.segments == 1) {
        if (method != Code::post) return refuse(Code::method_not_allowed, "dp takes POST");
        request.uplink.kind = UplinkKind::send;
        return std::nullopt;
    }
    if (first != "rd" || request.segments > 2) return refuse(Code::not_found, "no such path");
    if (request.segments == 1) {
        if (method != Code::post) return refuse(Code::method_not_allowed, "rd takes POST");
        request.uplink.kind = UplinkKind::register_;
        return std::nullopt;
    }
    request.uplink.location = request.path[1];
    switch (method) {
        case Code::post:
        case Code::put:
            request.uplink.kind = UplinkKind::update;
            return std::nullopt;
        case Code::delete_:
            request.uplink.kind = UplinkKind::deregister;
            return std::nullopt;
        default:
            return refuse(Code::method_not_allowed, "a registration takes POST and DELETE");
    }
}

std::optional<ContentFormat> known_format(std::optional<std::uint64_t> number) {
    if (!number || *number > UINT16_MAX) return std::nullopt;
    return lwm2m::content_format_from(static_cast<std::uint16_t>(*number));
}

std::optional<UplinkResult> check_format(const Request& request, bool has_payload) {
    const auto format = request.uplink.format;
    if (request.uplink.kind == UplinkKind::send) {
        if (!has_payload) return refuse(Code::bad_request, "a Send needs a payload");
        if (!request.format_number) return refuse(Code::bad_request, "a Send needs a Content-Format");
        if (format == ContentFormat::senml_json || format == ContentFormat::senml_cbor) return std::nullopt;
        return refuse(Code::unsupported_content_format, "a Send is SenML JSON or SenML CBOR");
    }
    if (!has_payload || !request.format_number || format == ContentFormat::link_format) return std::nullopt;
    return refuse(Code::unsupported_content_format, "the object list is link format");
}

}  // namespace

std::string_view to_string(UplinkKind kind) {
    switch (kind) {
        case UplinkKind::register_:
            return "register";
        case UplinkKind::update:
            return "update";
        case UplinkKind::deregister:
            return "deregister";
        case UplinkKind::send:
            return "send";
    }
    return "unknown";
}

bool Uplink::add_query(std::string_view argument) {
    if (query_size_ == query_.size()) return false;
    query_[query_size_++] = argument;
    return true;
}

UplinkResult classify(Code method, const coap::OptionRange& options, bool has_payload) {
    Request request = read_options(options);
    if (auto refusal = find_kind(method, request)) return *refusal;
    if (request.too_many_arguments) return refuse(Code::bad_request, "too many parameters");
    request.uplink.format = known_format(request.format_number);
    if (auto refusal = check_format(request, has_payload)) return *refusal;
    return {request.uplink, Code::empty, {}};
}

}  // namespace lanyard::lwm2m_coap
