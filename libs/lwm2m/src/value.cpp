#include "lwm2m/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "base/base64.hpp"
#include "number_text.hpp"

namespace lanyard::lwm2m {
namespace {

constexpr std::array<std::string_view, 10> kNames{"none",   "integer", "unsigned", "float",  "boolean",
                                                  "string", "opaque",  "time",     "objlnk", "corelnk"};
static_assert(std::variant_size_v<Value> == kNames.size());

// 2^63 and 2^64 as doubles: the first values outside the integer types.
constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

std::optional<std::int64_t> as_int64(const Value& value) {
    if (const auto* i = std::get_if<std::int64_t>(&value)) return *i;
    if (const auto* t = std::get_if<Time>(&value)) return t->seconds;
    if (const auto* b = std::get_if<bool>(&value)) return *b ? 1 : 0;
    if (const auto* u = std::get_if<std::uint64_t>(&value)) {
        if (!std::in_range<std::int64_t>(*u)) return std::nullopt;
        return static_cast<std::int64_t>(*u);
    }
    if (const auto* d = std::get_if<double>(&value)) {
        if (!(*d >= -kTwo63 && *d < kTwo63) || std::trunc(*d) != *d) return std::nullopt;
        return static_cast<std::int64_t>(*d);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> as_uint64(const Value& value) {
    if (const auto* u = std::get_if<std::uint64_t>(&value)) return *u;
    if (const auto* d = std::get_if<double>(&value)) {
        if (!(*d >= 0 && *d < kTwo64) || std::trunc(*d) != *d) return std::nullopt;
        return static_cast<std::uint64_t>(*d);
    }
    const auto i = as_int64(value);
    if (!i || *i < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*i);
}

std::optional<double> as_double(const Value& value) {
    if (const auto* d = std::get_if<double>(&value)) return *d;
    if (const auto* u = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*u);
    if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
    return std::nullopt;
}

std::optional<Value> convert_text(const Value& value, ValueType to) {
    const auto* text = std::get_if<std::string>(&value);
    if (to == ValueType::core_link && text) return Value(CoreLink{*text});
    if (to == ValueType::object_link && text) {
        if (auto link = ObjectLink::parse(*text)) return Value(*link);
    }
    const auto* links = std::get_if<CoreLink>(&value);
    if (to == ValueType::string && links) return Value(links->text);
    return std::nullopt;
}

template <class T>
std::optional<Value> wrap(std::optional<T> number) {
    return number ? std::optional<Value>(Value(*number)) : std::nullopt;
}

std::optional<Value> convert_to(const Value& value, ValueType to) {
    switch (to) {
        case ValueType::integer:
            return wrap(as_int64(value));
        case ValueType::unsigned_integer:
            return wrap(as_uint64(value));
        case ValueType::floating:
            return wrap(as_double(value));
        case ValueType::boolean: {
            const auto i = as_int64(value);
            return i && (*i == 0 || *i == 1) ? std::optional<Value>(Value(*i == 1)) : std::nullopt;
        }
        case ValueType::time: {
            const auto i = as_int64(value);
            return i && !std::holds_alternative<bool>(value) ? std::optional<Value>(Value(Time{*i})) : std::nullopt;
        }
        default:
            return convert_text(value, to);
    }
}

struct Display {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(std::uint64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return json_number(v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const Bytes& v) const { return base64(v); }
    std::string operator()(Time v) const { return std::to_string(v.seconds); }
    std::string operator()(ObjectLink v) const { return v.to_string(); }
    std::string operator()(const CoreLink& v) const { return v.text; }
};

}  // namespace

std::string_view to_string(ValueType type) {
    return kNames[static_cast<std::size_t>(type)];
}

std::optional<ValueType> value_type_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<ValueType>(i);
    }
    return std::nullopt;
}

std::string ObjectLink::to_string() const {
    return std::to_string(object) + ":" + std::to_string(instance);
}

Result<ObjectLink> ObjectLink::parse(std::string_view text) {
    if (text == "FFFF:FFFF" || text == "ffff:ffff") return ObjectLink{};
    ObjectLink link;
    const char* const last = text.data() + text.size();
    const auto first = std::from_chars(text.data(), last, link.object);
    if (first.ec == std::errc{} && first.ptr != last && *first.ptr == ':') {
        const auto second = std::from_chars(first.ptr + 1, last, link.instance);
        if (second.ec == std::errc{} && second.ptr == last) return link;
    }
    return make_error(Errc::invalid_argument, "object link: must be two ids of 0 to 65535 separated by ':'");
}

Result<Value> convert(Value value, ValueType to) {
    const ValueType from = type_of(value);
    if (from == to || to == ValueType::none) return value;
    if (auto converted = convert_to(value, to)) return std::move(*converted);
    return make_error(Errc::invalid_argument,
                      "a value of type " + std::string(to_string(from)) + " is no " + std::string(to_string(to)));
}

std::string to_display(const Value& value) {
    return std::visit(Display{}, value);
}

}  // namespace lanyard::lwm2m
