#include "coap/message.hpp"

#include <cstring>

#include "base/assert.hpp"

namespace lanyard::coap {
namespace {

constexpr std::uint8_t kPayloadMarker = 0xff;
constexpr std::size_t kHeaderSize = 4;

// Reads the extended part of an option's delta or length, RFC 7252 section 3.1. `nibble` is not 15. False if the
// datagram ends before it does.
inline bool read_extended(unsigned nibble, const std::uint8_t*& at, const std::uint8_t* end, std::uint32_t& value) {
    value = nibble;
    if (nibble < 13) return true;
    if (nibble == 13) {
        if (at == end) return false;
        value = 13U + *at++;
        return true;
    }
    if (end - at < 2) return false;
    value = 269U + ((std::uint32_t{at[0]} << 8) | at[1]);
    at += 2;
    return true;
}

Header read_header(const std::uint8_t* at) {
    return {static_cast<Type>((at[0] >> 4) & 3), static_cast<Code>(at[1]),
            static_cast<std::uint16_t>((at[2] << 8) | at[3])};
}

// Walks the options from `at` and leaves `at` at the payload marker or the end.
DecodeError check_options(const std::uint8_t*& at, const std::uint8_t* end) {
    std::uint32_t number = 0;
    for (std::size_t count = 0; at != end && *at != kPayloadMarker; ++count) {
        const std::uint8_t first = *at++;
        if ((first >> 4) == 15) return DecodeError::bad_option_delta;
        if ((first & 15) == 15) return DecodeError::bad_option_length;
        if (count == kMaxOptionsIn) return DecodeError::too_many_options;
        std::uint32_t delta = 0;
        std::uint32_t length = 0;
        if (!read_extended(first >> 4, at, end, delta)) return DecodeError::truncated_option;
        if (!read_extended(first & 15, at, end, length)) return DecodeError::truncated_option;
        if (length > static_cast<std::size_t>(end - at)) return DecodeError::truncated_option;
        number += delta;
        if (number > 0xffff) return DecodeError::option_number_too_big;
        at += length;
    }
    return DecodeError::none;
}

}  // namespace

std::string_view to_string(DecodeError error) {
    switch (error) {
        case DecodeError::none:
            return "none";
        case DecodeError::too_short:
            return "too_short";
        case DecodeError::bad_version:
            return "bad_version";
        case DecodeError::token_too_long:
            return "token_too_long";
        case DecodeError::not_empty:
            return "not_empty";
        case DecodeError::reserved_code_class:
            return "reserved_code_class";
        case DecodeError::bad_option_delta:
            return "bad_option_delta";
        case DecodeError::bad_option_length:
            return "bad_option_length";
        case DecodeError::truncated_option:
            return "truncated_option";
        case DecodeError::option_number_too_big:
            return "option_number_too_big";
        case DecodeError::too_many_options:
            return "too_many_options";
        case DecodeError::empty_payload:
            return "empty_payload";
    }
    return "unknown";
}

OptionRange::Iterator& OptionRange::Iterator::operator++() {
    if (next_ == end_) {
        done_ = true;
        return *this;
    }
    const std::uint8_t first = *next_++;
    std::uint32_t delta = 0;
    std::uint32_t length = 0;
    const bool whole = read_extended(first >> 4, next_, end_, delta) && read_extended(first & 15, next_, end_, length);
    LANYARD_ASSERT(whole && length <= static_cast<std::size_t>(end_ - next_));
    option_.number = static_cast<OptionNumber>(static_cast<std::uint32_t>(option_.number) + delta);
    option_.value = ByteView(next_, length);
    next_ += length;
    return *this;
}

std::optional<Header> peek_header(ByteView datagram) {
    if (datagram.size() < kHeaderSize || (datagram[0] >> 6) != 1) return std::nullopt;
    return read_header(datagram.data());
}

DecodeError MessageView::decode(ByteView datagram) {
    if (datagram.size() < kHeaderSize) return DecodeError::too_short;
    const std::uint8_t* at = datagram.data();
    const std::uint8_t* const end = at + datagram.size();
    if ((at[0] >> 6) != 1) return DecodeError::bad_version;
    const std::size_t token_size = at[0] & 15;
    header_ = read_header(at);
    at += kHeaderSize;
    if (token_size > Token::kMaxSize || token_size > static_cast<std::size_t>(end - at)) {
        return DecodeError::token_too_long;
    }
    if (header_.code == Code::empty && datagram.size() != kHeaderSize) return DecodeError::not_empty;
    const unsigned code_class_value = code_class(header_.code);
    if (code_class_value == 1 || code_class_value > 5) return DecodeError::reserved_code_class;
    token_ = Token(ByteView(at, token_size));
    at += token_size;
    const std::uint8_t* const options = at;
    if (const DecodeError error = check_options(at, end); error != DecodeError::none) return error;
    options_ = OptionRange(ByteView(options, at));
    payload_ = {};
    if (at == end) return DecodeError::none;
    payload_ = ByteView(at + 1, end);
    return payload_.empty() ? DecodeError::empty_payload : DecodeError::none;
}

std::optional<ByteView> MessageView::find(OptionNumber number) const {
    for (const OptionView& option : options_) {
        if (option.number == number) return option.value;
        if (option.number > number) break;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> MessageView::find_uint(OptionNumber number) const {
    const std::optional<ByteView> value = find(number);
    return value ? decode_uint(*value) : std::nullopt;
}

std::optional<BlockOption> MessageView::find_block(OptionNumber number) const {
    const std::optional<ByteView> value = find(number);
    return value ? decode_block(*value) : std::nullopt;
}

std::optional<std::uint16_t> MessageView::content_format() const {
    const std::optional<std::uint64_t> value = find_uint(OptionNumber::content_format);
    if (!value || *value > 0xffff) return std::nullopt;
    return static_cast<std::uint16_t>(*value);
}

std::optional<std::uint16_t> MessageView::accept() const {
    const std::optional<std::uint64_t> value = find_uint(OptionNumber::accept);
    if (!value || *value > 0xffff) return std::nullopt;
    return static_cast<std::uint16_t>(*value);
}

std::optional<std::uint32_t> MessageView::observe() const {
    const std::optional<std::uint64_t> value = find_uint(OptionNumber::observe);
    if (!value || *value > 0xffffff) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

bool MessageView::path_is(std::string_view path) const {
    if (path.starts_with('/')) path.remove_prefix(1);
    bool more = !path.empty();
    for (const OptionView& option : options_) {
        if (option.number > OptionNumber::uri_path) break;
        if (option.number != OptionNumber::uri_path) continue;
        const std::size_t slash = path.find('/');
        if (!more || as_text(option.value) != path.substr(0, slash)) return false;
        more = slash != std::string_view::npos;
        path.remove_prefix(more ? slash + 1 : path.size());
    }
    return !more;
}

std::string MessageView::path() const {
    std::string path;
    for (const OptionView& option : options_) {
        if (option.number != OptionNumber::uri_path) continue;
        path += '/';
        path += as_text(option.value);
    }
    return path.empty() ? "/" : path;
}

MessageWriter::MessageWriter(std::span<std::uint8_t> buffer, const Header& header, const Token& token)
    : buffer_(buffer) {
    std::uint8_t* at = reserve(kHeaderSize + token.size());
    if (at == nullptr) return;
    at[0] = static_cast<std::uint8_t>(0x40U | (static_cast<unsigned>(header.type) << 4) | token.size());
    at[1] = static_cast<std::uint8_t>(header.code);
    at[2] = static_cast<std::uint8_t>(header.mid >> 8);
    at[3] = static_cast<std::uint8_t>(header.mid);
    if (!token.empty()) std::memcpy(at + kHeaderSize, token.bytes().data(), token.size());
}

std::uint8_t* MessageWriter::reserve(std::size_t count) {
    if (!ok_ || count > buffer_.size() - used_) {
        ok_ = false;
        return nullptr;
    }
    std::uint8_t* at = buffer_.data() + used_;
    used_ += count;
    return at;
}

namespace {

unsigned nibble_of(std::size_t value) {
    return value < 13 ? static_cast<unsigned>(value) : value < 269 ? 13U : 14U;
}
std::size_t extended_size(unsigned nibble) {
    return nibble < 13 ? 0 : nibble - 12;
}

std::uint8_t* write_extended(std::uint8_t* at, unsigned nibble, std::size_t value) {
    if (nibble == 13) *at++ = static_cast<std::uint8_t>(value - 13);
    if (nibble == 14) {
        *at++ = static_cast<std::uint8_t>((value - 269) >> 8);
        *at++ = static_cast<std::uint8_t>(value - 269);
    }
    return at;
}

}  // namespace

void MessageWriter::option(OptionNumber number, ByteView value) {
    const auto plain_number = static_cast<std::uint16_t>(number);
    LANYARD_ASSERT(plain_number >= last_number_);
    if (value.size() > 0xffff) ok_ = false;
    const std::size_t delta = static_cast<std::size_t>(plain_number - last_number_);
    const unsigned delta_nibble = nibble_of(delta);
    const unsigned length_nibble = nibble_of(value.size());
    std::uint8_t* at = reserve(1 + extended_size(delta_nibble) + extended_size(length_nibble) + value.size());
    if (at == nullptr) return;
    *at++ = static_cast<std::uint8_t>((delta_nibble << 4) | length_nibble);
    at = write_extended(at, delta_nibble, delta);
    at = write_extended(at, length_nibble, value.size());
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    last_number_ = plain_number;
}

void MessageWriter::option_uint(OptionNumber number, std::uint64_t value) {
    std::array<std::uint8_t, 8> encoded{};
    std::size_t at = encoded.size();
    for (; value != 0; value >>= 8) encoded[--at] = static_cast<std::uint8_t>(value);
    option(number, ByteView(encoded).subspan(at));
}

void MessageWriter::options(const Options& options) {
    if (!options.ok()) ok_ = false;
    for (std::size_t i = 0; i < options.size(); ++i) option(options[i].number, options[i].value);
}

void MessageWriter::payload(ByteView payload) {
    if (payload.empty()) return;
    std::uint8_t* at = reserve(1 + payload.size());
    if (at == nullptr) return;
    *at++ = kPayloadMarker;
    std::memcpy(at, payload.data(), payload.size());
}

ByteView MessageWriter::finish() const {
    return ok_ ? ByteView(buffer_.data(), used_) : ByteView();
}

ByteView encode(std::span<std::uint8_t> buffer, const Header& header, const Token& token, const Options& options,
                ByteView payload) {
    MessageWriter writer(buffer, header, token);
    writer.options(options);
    writer.payload(payload);
    return writer.finish();
}

std::array<std::uint8_t, 4> encode_empty(Type type, std::uint16_t mid) {
    return {static_cast<std::uint8_t>(0x40U | (static_cast<unsigned>(type) << 4)), 0,
            static_cast<std::uint8_t>(mid >> 8), static_cast<std::uint8_t>(mid)};
}

}  // namespace lanyard::coap
