#include "lwm2m/version.hpp"

#include <charconv>

namespace lanyard::lwm2m {
namespace {

// Takes one decimal number of at most 255 off the front.
std::optional<std::uint8_t> take_number(std::string_view& text) {
    std::uint8_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
    std::uint8_t parts[3] = {0, 0, 0};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto number = take_number(text);
        if (!number) return std::nullopt;
        parts[i] = *number;
        if (text.empty()) return Version{parts[0], parts[1]};
        if (text.front() != '.') return std::nullopt;
        text.remove_prefix(1);
    }
    return std::nullopt;
}

std::string Version::to_string() const {
    return std::to_string(major) + "." + std::to_string(minor);
}

}  // namespace lanyard::lwm2m
