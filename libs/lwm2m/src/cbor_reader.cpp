#include "cbor_reader.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "date_time.hpp"
#include "lwm2m/limits.hpp"
#include "number_text.hpp"

namespace lanyard::lwm2m {
namespace {

constexpr std::uint8_t kIndefinite = 31;

Error malformed(const char* what) {
    return make_error(Errc::invalid_argument, std::string("cbor: ") + what);
}

// RFC 8949 appendix D.
double half_to_double(std::uint16_t half) {
    const int exponent = half >> 10 & 0x1f;
    const int mantissa = half & 0x3ff;
    double value = 0;
    if (exponent == 0) {
        value = std::ldexp(mantissa, -24);
    } else if (exponent != 31) {
        value = std::ldexp(mantissa + 1024, exponent - 25);
    } else {
        value = mantissa == 0 ? HUGE_VAL : std::nan("");
    }
    return (half & 0x8000) != 0 ? -value : value;
}

CborKind kind_of_major(std::uint8_t major) {
    constexpr std::array kKinds{CborKind::unsigned_number,
                                CborKind::negative_number,
                                CborKind::bytes,
                                CborKind::text,
                                CborKind::array,
                                CborKind::map,
                                CborKind::tag,
                                CborKind::null};
    return kKinds[major];
}

bool is_string(CborKind kind) {
    return kind == CborKind::bytes || kind == CborKind::text;
}
bool is_container(CborKind kind) {
    return kind == CborKind::array || kind == CborKind::map;
}

}  // namespace

Result<CborItem> CborReader::simple_or_float(std::uint8_t info, std::uint64_t argument) {
    CborItem item;
    switch (info) {
        case 20:
        case 21:
            item.kind = CborKind::boolean;
            item.argument = info == 21 ? 1 : 0;
            return item;
        case 22:
        case 23:
            item.kind = CborKind::null;
            return item;
        case 25:
            item.real = half_to_double(static_cast<std::uint16_t>(argument));
            break;
        case 26:
            item.real = double{std::bit_cast<float>(static_cast<std::uint32_t>(argument))};
            break;
        case 27:
            item.real = std::bit_cast<double>(argument);
            break;
        case kIndefinite:
            item.kind = CborKind::break_;
            return item;
        default:
            return malformed("unknown simple value");
    }
    item.kind = CborKind::floating;
    return item;
}

Result<CborItem> CborReader::next() {
    const std::uint8_t initial = reader_.u8();
    const auto major = static_cast<std::uint8_t>(initial >> 5);
    const auto info = static_cast<std::uint8_t>(initial & 0x1f);
    if (info >= 28 && info != kIndefinite) return malformed("reserved length");
    std::uint64_t argument = info;
    if (info >= 24 && info != kIndefinite) argument = reader_.uint_be(std::size_t{1} << (info - 24));
    if (!reader_.ok()) return malformed("truncated");
    if (major == 7) return simple_or_float(info, argument);

    CborItem item;
    item.kind = kind_of_major(major);
    item.argument = argument;
    item.indefinite = info == kIndefinite;
    if (item.indefinite && !is_string(item.kind) && !is_container(item.kind)) return malformed("reserved length");
    if (is_string(item.kind)) {
        if (auto read = read_string(item); !read) return read.error();
    }
    // Every element takes at least one byte.
    if (is_container(item.kind) && !item.indefinite && argument > reader_.remaining()) return malformed("truncated");
    return item;
}

Result<void> CborReader::read_string(CborItem& item) {
    if (!item.indefinite) {
        if (item.argument > reader_.remaining()) return malformed("truncated string");
        item.content = reader_.take(static_cast<std::size_t>(item.argument));
        return {};
    }
    joined_.clear();
    const auto major = static_cast<std::uint8_t>(item.kind == CborKind::bytes ? 2 : 3);
    while (reader_.ok()) {
        const std::uint8_t initial = reader_.u8();
        const auto info = static_cast<std::uint8_t>(initial & 0x1f);
        if (initial == 0xff) {
            item.content = joined_;
            return {};
        }
        // RFC 8949 section 3.2.3: chunks are definite strings of the same type.
        if (initial >> 5 != major || info >= 28) return malformed("bad chunk of a string");
        const std::uint64_t size = info < 24 ? info : reader_.uint_be(std::size_t{1} << (info - 24));
        if (!reader_.ok() || size > reader_.remaining()) break;
        const ByteView chunk = reader_.take(static_cast<std::size_t>(size));
        joined_.insert(joined_.end(), chunk.begin(), chunk.end());
    }
    return malformed("truncated string");
}

Result<bool> CborReader::more(const CborItem& container, std::uint64_t& left) {
    if (!container.indefinite) {
        if (left == 0) return false;
        --left;
        return true;
    }
    if (reader_.at_end()) return malformed("truncated");
    constexpr std::uint8_t kBreak = 0xff;
    if (reader_.peek() != kBreak) return true;
    reader_.u8();
    return false;
}

Result<void> CborReader::skip(const CborItem& item) {
    // Items still to come at each level; an indefinite container counts as kUntilBreak.
    constexpr std::uint64_t kUntilBreak = UINT64_MAX;
    std::array<std::uint64_t, kMaxDepth> left{};
    std::size_t depth = 0;
    CborItem current = item;
    while (true) {
        std::uint64_t inside = 0;
        if (current.kind == CborKind::tag) inside = 1;
        if (is_container(current.kind)) {
            const std::uint64_t per_element = current.kind == CborKind::map ? 2 : 1;
            inside = current.indefinite ? kUntilBreak : current.argument * per_element;
        }
        if (current.kind == CborKind::break_) {
            if (depth == 0 || left[depth - 1] != kUntilBreak) return malformed("misplaced break");
            --depth;
        } else if (inside != 0) {
            if (depth == kMaxDepth) return make_error(Errc::too_large, "cbor: nested too deep");
            left[depth++] = inside;
        }
        while (depth != 0 && left[depth - 1] == 0) --depth;
        if (depth == 0) return {};
        if (left[depth - 1] != kUntilBreak) --left[depth - 1];
        auto following = next();
        if (!following) return following.error();
        current = *following;
    }
}

Result<Value> CborReader::epoch_time() {
    const auto item = next();
    if (!item) return item.error();
    // Checked here, so that tags in tags cannot recurse.
    if (item->kind == CborKind::tag) return malformed("a time is a plain number");
    const auto number = value(*item);
    if (!number) return number.error();
    Value seconds = *number;
    if (const auto* real = std::get_if<double>(&seconds)) seconds = std::floor(*real);
    return convert(std::move(seconds), ValueType::time);
}

// RFC 8949 section 3.4.4: [exponent, mantissa] to base 10. Through text, as that rounds correctly.
Result<Value> CborReader::decimal_fraction() {
    const auto head = next();
    if (!head) return head.error();
    if (head->kind != CborKind::array || head->indefinite || head->argument != 2) {
        return malformed("a decimal fraction is an array of two");
    }
    std::array<std::string, 2> parts;
    for (auto& part : parts) {
        const auto item = next();
        if (!item) return item.error();
        if (item->kind != CborKind::unsigned_number && item->kind != CborKind::negative_number) {
            return malformed("a decimal fraction has two integers");
        }
        const auto number = value(*item);
        if (!number) return number.error();
        part = to_display(*number);
    }
    const auto number = parse_double(parts[1] + "e" + parts[0]);
    if (!number) return malformed("decimal fraction out of range");
    return Value(*number);
}

Result<Value> CborReader::value(CborItem item) {
    constexpr int kMaxTags = 4;
    for (int tags = 0; item.kind == CborKind::tag; ++tags) {
        if (tags == kMaxTags) return make_error(Errc::too_large, "cbor: too many tags");
        switch (item.argument) {
            case 1:
                return epoch_time();
            case 2:
            case 3:
                return malformed("numbers beyond 64 bits are not supported");
            case 4:
                return decimal_fraction();
            default:
                break;
        }
        const bool is_date = item.argument == 0;
        auto inside = next();
        if (!inside) return inside.error();
        item = *inside;
        if (!is_date) continue;
        const auto seconds = item.kind == CborKind::text ? parse_date_time(as_text(item.content)) : std::nullopt;
        if (!seconds) return malformed("bad date and time");
        return Value(Time{*seconds});
    }
    switch (item.kind) {
        case CborKind::unsigned_number:
            if (item.argument <= INT64_MAX) return Value(static_cast<std::int64_t>(item.argument));
            return Value(item.argument);
        case CborKind::negative_number:
            if (item.argument > INT64_MAX) return malformed("integer below -2^63");
            return Value(-1 - static_cast<std::int64_t>(item.argument));
        case CborKind::bytes:
            return Value(Bytes(item.content.begin(), item.content.end()));
        case CborKind::text:
            return Value(lanyard::to_string(item.content));
        case CborKind::boolean:
            return Value(item.argument == 1);
        case CborKind::floating:
            return Value(item.real);
        case CborKind::null:
            return Value();
        default:
            return malformed("a single value is needed");
    }
}

}  // namespace lanyard::lwm2m
