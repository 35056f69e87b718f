#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard::lwm2m {

// A major.minor version: of the LwM2M enabler ("lwm2m=1.1") or of one object ("ver=1.2").
struct Version {
    std::uint8_t major = 1;
    std::uint8_t minor = 0;

    // "1.2". Also "1" (minor 0) and a third part ("1.1.1"), which is ignored. nullopt: not that form, over 255.
    static std::optional<Version> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(const Version&, const Version&) = default;
};

}  // namespace lanyard::lwm2m
