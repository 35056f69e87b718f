#include "typed_value.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "base/hex.hpp"
#include "lwm2m/model.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::cli {
namespace {

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

Result<void> set_value(Node& node, ValueType type, const std::string& text) {
    switch (type) {
        case ValueType::integer:
            if (const auto number = parse_number<std::int64_t>(text))
                return node.set_int_value(*number), Result<void>{};
            return not_a("an integer", text);
        case ValueType::unsigned_integer:
            if (const auto number = parse_number<std::uint64_t>(text))
                return node.set_uint_value(*number), Result<void>{};
            return not_a("an unsigned integer", text);
        case ValueType::floating:
            if (const auto number = parse_number<double>(text)) return node.set_double_value(*number), Result<void>{};
            return not_a("a number", text);
        case ValueType::boolean:
            if (const auto boolean = parse_boolean(text)) return node.set_bool_value(*boolean), Result<void>{};
            return not_a("true or false", text);
        case ValueType::time:
            if (const auto number = parse_number<std::int64_t>(text)) {
                return node.mutable_time_value()->set_seconds(*number), Result<void>{};
            }
            return not_a("a time in Unix seconds", text);
        case ValueType::opaque:
            if (const auto bytes = from_hex(text)) {
                return node.set_bytes_value(bytes->data(), bytes->size()), Result<void>{};
            }
            return not_a("hex digits", text);
        case ValueType::object_link:
            return node.set_objlnk_value(text), Result<void>{};
        default:
            return node.set_string_value(text), Result<void>{};
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
    if (const auto set = set_value(node, *value_type, text); !set) return set.error();
    return node;
}

}  // namespace lanyard::cli
