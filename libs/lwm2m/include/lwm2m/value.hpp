#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace lanyard::lwm2m {

// The data types of Core 1.2 appendix C. `none` is "no type": an executable resource, or a record without value.
// The order is that of the alternatives of Value.
enum class ValueType : std::uint8_t {
    none,
    integer,
    unsigned_integer,
    floating,
    boolean,
    string,
    opaque,
    time,
    object_link,
    core_link,
};

// "none", "integer", "unsigned", "float", "boolean", "string", "opaque", "time", "objlnk", "corelnk".
std::string_view to_string(ValueType type);
// The inverse of to_string; nullopt for any other text.
std::optional<ValueType> value_type_from(std::string_view name);

// Seconds since the Unix epoch, negative before it.
struct Time {
    std::int64_t seconds = 0;
    friend bool operator==(const Time&, const Time&) = default;
};

// A reference to an object instance; 65535:65535 is the null link.
struct ObjectLink {
    std::uint16_t object = 0xffff;
    std::uint16_t instance = 0xffff;

    [[nodiscard]] bool is_null() const { return object == 0xffff && instance == 0xffff; }
    // "3:0". Both ids in decimal.
    [[nodiscard]] std::string to_string() const;
    // Decimal ids; "FFFF:FFFF" is taken for the null link too.
    static Result<ObjectLink> parse(std::string_view text);
    friend bool operator==(const ObjectLink&, const ObjectLink&) = default;
};

// A CoRE link-format document as a value (type Corelnk), not interpreted.
struct CoreLink {
    std::string text;
    friend bool operator==(const CoreLink&, const CoreLink&) = default;
};

// One value of any LwM2M type; what every payload format decodes to and is encoded from.
using Value = std::variant<std::monostate, std::int64_t, std::uint64_t, double, bool, std::string, Bytes, Time,
                           ObjectLink, CoreLink>;

inline ValueType type_of(const Value& value) {
    return static_cast<ValueType>(value.index());
}

// The value as another type: between the integer types and from float when the number stays the same, integers to
// float (rounded beyond 2^53), 0/1 to boolean and back, integer to time and back, string to corelnk and back, "66:0"
// to objlnk. `none` as target returns the value unchanged. invalid_argument for everything else.
[[nodiscard]] Result<Value> convert(Value value, ValueType to);

// For people and logs: "21.5", "true", "66:0", text as it is, opaque as base64, no value as "null".
std::string to_display(const Value& value);

}  // namespace lanyard::lwm2m
