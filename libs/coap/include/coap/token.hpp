#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "base/hash.hpp"

namespace lanyard::coap {

// A token of 0 to 8 bytes (RFC 7252 section 5.3.1), kept inline. Bytes beyond size() are zero.
class Token {
  public:
    static constexpr std::size_t kMaxSize = 8;

    Token() = default;
    // Takes the first 8 bytes; the decoder has refused longer tokens before.
    explicit Token(ByteView bytes)
        : size_(static_cast<std::uint8_t>(bytes.size() > kMaxSize ? kMaxSize : bytes.size())) {
        if (size_ != 0) std::memcpy(bytes_.data(), bytes.data(), size_);
    }
    // The eight bytes of `value`, most significant first.
    static Token from_u64(std::uint64_t value) {
        Token token;
        token.size_ = kMaxSize;
        for (unsigned i = 0; i < kMaxSize; ++i) token.bytes_[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
        return token;
    }

    [[nodiscard]] ByteView bytes() const { return {bytes_.data(), size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    // The bytes as one number, as from_u64() takes it; shorter tokens are padded with zeros at the end.
    [[nodiscard]] std::uint64_t as_u64() const {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : bytes_) value = (value << 8) | byte;
        return value;
    }

    friend bool operator==(const Token&, const Token&) = default;
    friend std::uint64_t hash_value(const Token& token) { return mix64(token.as_u64() + token.size_); }

  private:
    std::array<std::uint8_t, kMaxSize> bytes_{};
    std::uint8_t size_ = 0;
};

}  // namespace lanyard::coap
