#include "lwm2m_coap/operation.hpp"

#include <bitset>

#include "lwm2m/hidden_object.hpp"
#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m_coap {
namespace {

using coap::Code;

Error bad(std::string message) {
    return make_error(Errc::invalid_argument, std::move(message));
}

// The path an operation may act on: from `low` to `high` ids.
Result<void> check_path(const Path& path, std::size_t low, std::size_t high, std::string_view name) {
    if (path.size() < low || path.size() > high) {
        return bad(std::string(name) + ": not defined on " + path.to_string());
    }
    if (lwm2m::is_hidden_object(path[0])) return bad(path.to_string() + ": no server may access this object");
    return {};
}

// The root path is split at slashes; its segments are not escaped.
RequestParts parts_for(Code method, std::string_view root_path, const Path& path) {
    RequestParts parts;
    parts.method = method;
    parts.options.path(root_path);
    parts.options.path(path.to_string());
    return parts;
}

struct Builder {
    std::string_view root_path;

    Result<RequestParts> operator()(const Read& op) const { return get(op.path, op.accept, "read", std::nullopt); }
    Result<RequestParts> operator()(const Observe& op) const { return get(op.path, op.accept, "observe", 0); }
    Result<RequestParts> operator()(const CancelObserve& op) const {
        return get(op.path, op.accept, "cancel-observe", 1);
    }

    Result<RequestParts> operator()(const Discover& op) const {
        if (auto ok = check_path(op.path, 1, 3, "discover"); !ok) return ok.error();
        if (op.depth && *op.depth > 3) return bad("depth: must be 0 to 3");
        RequestParts parts = parts_for(Code::get, root_path, op.path);
        if (op.depth) parts.options.query("depth=" + std::to_string(*op.depth));
        parts.options.accept(lwm2m::number_of(ContentFormat::link_format));
        return parts;
    }

    Result<RequestParts> operator()(const Write& op) const {
        const bool partial = op.mode == WriteMode::partial;
        if (auto ok = check_path(op.path, 2, partial ? 3 : 4, "write"); !ok) return ok.error();
        if (partial && !lwm2m::is_structured(op.format)) {
            return bad("write: a partial update needs a structured format");
        }
        return with_payload(partial ? Code::post : Code::put, op.path, op.format, op.payload);
    }

    Result<RequestParts> operator()(const WriteAttributes& op) const {
        if (auto ok = check_path(op.path, 1, 4, "write-attributes"); !ok) return ok.error();
        if (op.attributes.empty()) return bad("write-attributes: no attribute is given");
        if (auto ok = lwm2m::validate(op.attributes, op.path); !ok) return ok.error();
        RequestParts parts = parts_for(Code::put, root_path, op.path);
        for (const auto& argument : lwm2m::to_query(op.attributes)) parts.options.query(argument);
        return parts;
    }

    Result<RequestParts> operator()(const Execute& op) const {
        if (auto ok = check_path(op.path, 3, 3, "execute"); !ok) return ok.error();
        if (auto ok = check_execute_arguments(op.arguments); !ok) return ok.error();
        RequestParts parts = parts_for(Code::post, root_path, op.path);
        if (!op.arguments.empty()) {
            parts.options.content_format(lwm2m::number_of(ContentFormat::text));
            const ByteView text = as_bytes(op.arguments);
            parts.payload.assign(text.begin(), text.end());
        }
        return parts;
    }

    Result<RequestParts> operator()(const Create& op) const {
        if (op.object == lwm2m::kReservedId) return bad("create: object id 65535 is reserved");
        const Path path{op.object};
        if (auto ok = check_path(path, 1, 1, "create"); !ok) return ok.error();
        if (!lwm2m::is_structured(op.format)) return bad("create: a structured format is needed");
        return with_payload(Code::post, path, op.format, op.payload);
    }

    Result<RequestParts> operator()(const Delete& op) const {
        if (auto ok = check_path(op.path, 2, 4, "delete"); !ok) return ok.error();
        if (op.path.size() == 3) return bad("delete: not defined on " + op.path.to_string());
        return parts_for(Code::delete_, root_path, op.path);
    }

    Result<RequestParts> get(const Path& path, std::optional<ContentFormat> accept, std::string_view name,
                             std::optional<std::uint32_t> observe) const {
        if (auto ok = check_path(path, 1, 4, name); !ok) return ok.error();
        RequestParts parts = parts_for(Code::get, root_path, path);
        if (observe) parts.options.observe(*observe);
        if (accept) parts.options.accept(lwm2m::number_of(*accept));
        return parts;
    }

    Result<RequestParts> with_payload(Code method, const Path& path, ContentFormat format, const Bytes& payload) const {
        if (payload.size() > lwm2m::kMaxPayloadBytes) return make_error(Errc::too_large, "payload: over the limit");
        RequestParts parts = parts_for(method, root_path, path);
        parts.options.content_format(lwm2m::number_of(format));
        parts.payload = payload;
        return parts;
    }
};

struct Name {
    std::string_view operator()(const Read&) const { return "read"; }
    std::string_view operator()(const Discover&) const { return "discover"; }
    std::string_view operator()(const Write&) const { return "write"; }
    std::string_view operator()(const WriteAttributes&) const { return "write-attributes"; }
    std::string_view operator()(const Execute&) const { return "execute"; }
    std::string_view operator()(const Create&) const { return "create"; }
    std::string_view operator()(const Delete&) const { return "delete"; }
    std::string_view operator()(const Observe&) const { return "observe"; }
    std::string_view operator()(const CancelObserve&) const { return "cancel-observe"; }
};

struct PathOf {
    Path operator()(const Create& op) const { return op.object == lwm2m::kReservedId ? Path{} : Path{op.object}; }
    template <class T>
    Path operator()(const T& op) const {
        return op.path;
    }
};

}  // namespace

std::string_view name_of(const Operation& operation) {
    return std::visit(Name{}, operation);
}

Path path_of(const Operation& operation) {
    return std::visit(PathOf{}, operation);
}

Result<RequestParts> to_request(const Operation& operation, std::string_view root_path) {
    auto parts = std::visit(Builder{root_path}, operation);
    if (parts && !parts->options.ok()) return make_error(Errc::too_large, "request: too many or too long options");
    return parts;
}

Result<void> check_execute_arguments(std::string_view arguments) {
    std::bitset<10> seen;
    for (std::size_t at = 0; at < arguments.size();) {
        const char digit = arguments[at++];
        if (digit < '0' || digit > '9') return bad("execute arguments: a digit is needed");
        const auto index = static_cast<std::size_t>(digit - '0');
        if (seen.test(index)) return bad("execute arguments: a digit is given twice");
        seen.set(index);
        if (arguments.substr(at).starts_with("='")) {
            const auto end = arguments.find('\'', at + 2);
            if (end == std::string_view::npos) return bad("execute arguments: open quote");
            for (const char c : arguments.substr(at + 2, end - at - 2)) {
                if (c < 0x20 || c == 0x7f || c == '\\') return bad("execute arguments: character not allowed");
            }
            at = end + 1;
        }
        if (at == arguments.size()) return {};
        if (arguments[at++] != ',') return bad("execute arguments: ',' is needed");
        if (at == arguments.size()) return bad("execute arguments: a digit is needed");
    }
    return {};
}

}  // namespace lanyard::lwm2m_coap
