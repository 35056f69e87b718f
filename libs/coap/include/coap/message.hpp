#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "coap/code.hpp"
#include "coap/limits.hpp"
#include "coap/option.hpp"
#include "coap/options.hpp"
#include "coap/token.hpp"

namespace lanyard::coap {

// Why a datagram is not a CoAP message (RFC 7252 section 3 unless said otherwise).
enum class DecodeError : std::uint8_t {
    none,
    too_short,              // below four bytes
    bad_version,            // not 1: to be ignored silently
    token_too_long,         // TKL 9 to 15, or longer than the datagram
    not_empty,              // code 0.00 with a token, options or a payload (section 4.1)
    reserved_code_class,    // 1, 6 or 7 (section 4.2)
    bad_option_delta,       // nibble 15 without being the payload marker
    bad_option_length,      // nibble 15
    truncated_option,       // the datagram ends inside an option
    option_number_too_big,  // beyond 65535
    too_many_options,       // beyond kMaxOptionsIn
    empty_payload,          // a payload marker at the end
};
inline constexpr std::size_t kDecodeErrorCount = 12;
std::string_view to_string(DecodeError error);

// The first four bytes. All messages that are at least this long have one, malformed or not.
struct Header {
    Type type = Type::confirmable;
    Code code = Code::empty;
    std::uint16_t mid = 0;
};

// Options of a decoded message in their order; a forward range of OptionView.
class OptionRange {
  public:
    class Iterator {
      public:
        using value_type = OptionView;
        using difference_type = std::ptrdiff_t;
        using reference = const OptionView&;
        using pointer = const OptionView*;
        using iterator_category = std::input_iterator_tag;

        Iterator() = default;
        Iterator(const std::uint8_t* at, const std::uint8_t* end) : next_(at), end_(end) { ++*this; }
        const OptionView& operator*() const { return option_; }
        const OptionView* operator->() const { return &option_; }
        Iterator& operator++();
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return iterator.done_; }

      private:
        const std::uint8_t* next_ = nullptr;
        const std::uint8_t* end_ = nullptr;
        OptionView option_;
        bool done_ = false;
    };

    OptionRange() = default;
    // `encoded` has passed MessageView::decode().
    explicit OptionRange(ByteView encoded) : encoded_(encoded) {}
    [[nodiscard]] Iterator begin() const { return {encoded_.data(), encoded_.data() + encoded_.size()}; }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }
    [[nodiscard]] bool empty() const { return encoded_.empty(); }
    [[nodiscard]] ByteView encoded() const { return encoded_; }

  private:
    ByteView encoded_;
};

// A decoded message: a view of the datagram, which must outlive it. Decoding allocates nothing and copies only the
// token. Every option is kept, known or not.
class MessageView {
  public:
    MessageView() = default;

    // On anything but `none`, *this is not to be used.
    [[nodiscard]] DecodeError decode(ByteView datagram);

    [[nodiscard]] Type type() const { return header_.type; }
    [[nodiscard]] Code code() const { return header_.code; }
    [[nodiscard]] std::uint16_t mid() const { return header_.mid; }
    [[nodiscard]] const Token& token() const { return token_; }
    [[nodiscard]] OptionRange options() const { return options_; }
    [[nodiscard]] ByteView payload() const { return payload_; }

    // The value of the first option of this number; nothing if there is none. Empty values are non-null spans or
    // null ones alike: only has_value() tells.
    [[nodiscard]] std::optional<ByteView> find(OptionNumber number) const;
    // As find(), decoded; nothing also if the value does not fit the format.
    [[nodiscard]] std::optional<std::uint64_t> find_uint(OptionNumber number) const;
    [[nodiscard]] std::optional<BlockOption> find_block(OptionNumber number) const;
    [[nodiscard]] std::optional<std::uint16_t> content_format() const;
    [[nodiscard]] std::optional<std::uint16_t> accept() const;
    [[nodiscard]] std::optional<std::uint32_t> observe() const;
    // The path is exactly these segments: path_is("rd") for /rd.
    [[nodiscard]] bool path_is(std::string_view slash_separated) const;
    // "/3/0"; "/" if there is no Uri-Path. Segments are not escaped.
    [[nodiscard]] std::string path() const;

  private:
    Header header_;
    Token token_;
    OptionRange options_;
    ByteView payload_;
};

// The header of anything with at least four bytes and version 1, for answering a malformed message with a Reset.
[[nodiscard]] std::optional<Header> peek_header(ByteView datagram);

// Writes one message into a buffer that the caller owns. Options come in ascending order (asserted), then the
// payload. When the buffer is too small nothing is written past it, finish() gives an empty span.
class MessageWriter {
  public:
    MessageWriter(std::span<std::uint8_t> buffer, const Header& header, const Token& token);

    void option(OptionNumber number, ByteView value);
    void option_uint(OptionNumber number, std::uint64_t value);
    // All options of the list; those written before must not have greater numbers.
    void options(const Options& options);
    // An empty payload writes nothing.
    void payload(ByteView payload);

    [[nodiscard]] bool ok() const { return ok_; }
    // The message, a prefix of the buffer; empty when it did not fit.
    [[nodiscard]] ByteView finish() const;

  private:
    std::uint8_t* reserve(std::size_t count);

    std::span<std::uint8_t> buffer_;
    std::size_t used_ = 0;
    std::uint16_t last_number_ = 0;
    bool ok_ = true;
};

// A whole message in one call; empty when it does not fit or `options` is not ok().
[[nodiscard]] ByteView encode(std::span<std::uint8_t> buffer, const Header& header, const Token& token,
                              const Options& options, ByteView payload = {});
// The four bytes of an empty message: an empty ACK, a Reset, a ping.
[[nodiscard]] std::array<std::uint8_t, 4> encode_empty(Type type, std::uint16_t mid);

}  // namespace lanyard::coap
