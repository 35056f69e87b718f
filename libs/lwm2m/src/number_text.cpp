#include "number_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace lanyard::lwm2m {
namespace {

template <class T>
std::optional<T> parse_whole(std::string_view text) {
    // from_chars takes no plus sign; "+-1" must not become -1.
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return std::nullopt;
    }
    T number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string write(double number, std::chars_format format) {
    // The smallest denormal has 326 characters in fixed notation.
    std::array<char, 400> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format);
    return error == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

}  // namespace

std::optional<std::int64_t> parse_int64(std::string_view text) {
    return parse_whole<std::int64_t>(text);
}

std::optional<std::uint64_t> parse_uint64(std::string_view text) {
    return parse_whole<std::uint64_t>(text);
}

std::optional<double> parse_double(std::string_view text) {
    const auto number = parse_whole<double>(text);
    return number && std::isfinite(*number) ? number : std::nullopt;
}

std::string plain_decimal(double number) {
    return write(number, std::chars_format::fixed);
}

std::string json_number(double number) {
    return write(number, std::chars_format::general);
}

}  // namespace lanyard::lwm2m
