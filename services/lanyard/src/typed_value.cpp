#include "typed_value.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "base/hex.hpp"
#include "lwm2m/model.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"
#include "lwm2m_proto/node.hpp"

namespace lanyard::cli {
namespace {

using lwm2m::Value;
using lwm2m::ValueType;
using operations::v1::Node;

Error not_a(const char* type, const std::string& text) {
    return make_error(Errc::invalid_argument, "\"" + text + "\" is not " + type);
}

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<bool> parse_boolean(const std::string& text) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
}

Result<ValueType> type_of_resource(const lwm2m::Path& path, const std::string& type) {
    if (!type.empty()) {
        const auto named = lwm2m::value_type_from(type);
        if (!named || *named == ValueType::none) return not_a("a type (float, integer, string, ...)", type);
        return *named;
    }
    if (path.size() < 3) return make_error(Errc::invalid_argument, path.to_string() + " is no resource: give ID=VALUE");
    const auto model = lwm2m::registry_models().resource(path[0], path[2]);
    if (!model || model->type == ValueType::none) {
        return make_error(Errc::invalid_argument, "the type of " + path.to_string() + " is not known: give --type");
    }
    return model->type;
}

template <class Parsed>
Result<Value> checked(const std::optional<Parsed>& parsed, const char* type, const std::string& text) {
    if (!parsed) return not_a(type, text);
    return Value(*parsed);
}

Result<Value> parse_value(ValueType type, const std::string& text) {
    switch (type) {
        case ValueType::integer:
            return checked(parse_number<std::int64_t>(text), "an integer", text);
        case ValueType::unsigned_integer:
            return checked(parse_number<std::uint64_t>(text), "an unsigned integer", text);
        case ValueType::floating:
            return checked(parse_number<double>(text), "a number", text);
        case ValueType::boolean:
            return checked(parse_boolean(text), "true or false", text);
        case ValueType::time: {
            const auto seconds = parse_number<std::int64_t>(text);
            if (!seconds) return not_a("a time in Unix seconds", text);
            return Value(lwm2m::Time{*seconds});
        }
        case ValueType::opaque: {
            auto bytes = from_hex(text);
            if (!bytes) return not_a("hex digits", text);
            return Value(std::move(*bytes));
        }
        case ValueType::object_link: {
            const auto link = lwm2m::ObjectLink::parse(text);
            if (!link) return link.error();
            return Value(*link);
        }
        default:
            return Value(text);
    }
}

}  // namespace

Result<Node> parse_typed_value(const std::string& path, const std::string& text, const std::string& type) {
    const auto parsed = lwm2m::Path::parse(path);
    if (!parsed) return parsed.error();
    const auto value_type = type_of_resource(*parsed, type);
    if (!value_type) return value_type.error();
    Node node;
    node.set_path(parsed->to_string());
    const auto value = parse_value(*value_type, text);
    if (!value) return value.error();
    lwm2m_proto::set_value(node, *value);
    return node;
}

}  // namespace lanyard::cli
