#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::string to_string(ByteView bytes) {
    return std::string(as_text(bytes));
}

// Reads big-endian (network order) integers and spans from a buffer it does not own.
//
// Never reads past the end: after the first failure it is dead, `ok()` is false, every read gives zero or an
// empty span. So a decoder may read several fields and check once. Not thread-safe.
class ByteReader {
  public:
    explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(uint_be(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(uint_be(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(uint_be(4)); }
    std::uint64_t u64() { return uint_be(8); }
    // `width` bytes, 0 to 8, as an unsigned integer; zero bytes give 0.
    std::uint64_t uint_be(std::size_t width);
    // The next `count` bytes, still owned by the buffer.
    ByteView take(std::size_t count);
    // The next byte without consuming it; 0 and dead at the end.
    std::uint8_t peek();

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
    [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
    [[nodiscard]] std::size_t offset() const { return at_; }

  private:
    ByteView bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

// Appends big-endian integers and spans to a vector that the caller owns. Not thread-safe.
class ByteWriter {
  public:
    explicit ByteWriter(Bytes& out) : out_(out) {}

    void u8(std::uint8_t value) { out_.push_back(value); }
    void u16(std::uint16_t value) { uint_be(value, 2); }
    void u32(std::uint32_t value) { uint_be(value, 4); }
    void u64(std::uint64_t value) { uint_be(value, 8); }
    void uint_be(std::uint64_t value, std::size_t width);
    void put(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
    void put(std::string_view text) { put(as_bytes(text)); }

    [[nodiscard]] std::size_t size() const { return out_.size(); }

  private:
    Bytes& out_;
};

}  // namespace lanyard
