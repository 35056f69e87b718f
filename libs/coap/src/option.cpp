#include "coap/option.hpp"

#include <array>

namespace lanyard::coap {
namespace {

struct Format {
    OptionNumber number;
    bool repeatable;
    std::uint16_t min_size;
    std::uint16_t max_size;
};

// RFC 7252 table 4, 7641, 7959, 7967, 8768, 9175. Numbers at the places where a switch would be: see format_of().
constexpr Format kFormats[] = {
    {OptionNumber::if_match, true, 0, 8},
    {OptionNumber::uri_host, false, 1, 255},
    {OptionNumber::etag, true, 1, 8},
    {OptionNumber::if_none_match, false, 0, 0},
    {OptionNumber::observe, false, 0, 3},
    {OptionNumber::uri_port, false, 0, 2},
    {OptionNumber::location_path, true, 0, 255},
    {OptionNumber::uri_path, true, 0, 255},
    {OptionNumber::content_format, false, 0, 2},
    {OptionNumber::max_age, false, 0, 4},
    {OptionNumber::uri_query, true, 0, 255},
    {OptionNumber::hop_limit, false, 1, 1},
    {OptionNumber::accept, false, 0, 2},
    {OptionNumber::location_query, true, 0, 255},
    {OptionNumber::block2, false, 0, 3},
    {OptionNumber::block1, false, 0, 3},
    {OptionNumber::size2, false, 0, 4},
    {OptionNumber::proxy_uri, false, 1, 1034},
    {OptionNumber::proxy_scheme, false, 1, 255},
    {OptionNumber::size1, false, 0, 4},
    {OptionNumber::echo, false, 1, 40},
    {OptionNumber::no_response, false, 0, 1},
    {OptionNumber::request_tag, true, 0, 8},
};

constexpr std::size_t kDirect = 64;

// Index into kFormats plus one for numbers below 64, where all but three of them are.
constexpr auto kIndex = [] {
    std::array<std::uint8_t, kDirect> index{};
    for (std::size_t i = 0; i < std::size(kFormats); ++i) {
        const auto number = static_cast<std::size_t>(kFormats[i].number);
        if (number < kDirect) index[number] = static_cast<std::uint8_t>(i + 1);
    }
    return index;
}();

const Format* format_of(OptionNumber number) {
    const auto value = static_cast<std::size_t>(number);
    if (value < kDirect) return kIndex[value] == 0 ? nullptr : &kFormats[kIndex[value] - 1];
    for (const Format& format : kFormats) {
        if (format.number == number) return &format;
    }
    return nullptr;
}

}  // namespace

bool is_repeatable(OptionNumber number) {
    const Format* format = format_of(number);
    return format == nullptr || format->repeatable;
}

bool is_recognized(OptionNumber number, std::size_t value_size) {
    const Format* format = format_of(number);
    return format != nullptr && value_size >= format->min_size && value_size <= format->max_size;
}

std::optional<std::uint64_t> decode_uint(ByteView value) {
    if (value.size() > 8) return std::nullopt;
    std::uint64_t number = 0;
    for (const std::uint8_t byte : value) number = (number << 8) | byte;
    return number;
}

std::optional<BlockOption> decode_block(ByteView value) {
    if (value.size() > 3) return std::nullopt;
    const auto number = static_cast<std::uint32_t>(*decode_uint(value));
    BlockOption block{number >> 4, (number & 8) != 0, static_cast<std::uint8_t>(number & 7)};
    if (block.szx == 7) return std::nullopt;
    return block;
}

}  // namespace lanyard::coap
