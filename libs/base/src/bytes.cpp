#include "base/bytes.hpp"

#include "base/assert.hpp"

namespace lanyard {

std::uint64_t ByteReader::uint_be(std::size_t width) {
    LANYARD_ASSERT(width <= 8);
    const ByteView field = take(width);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : field) value = (value << 8) | byte;
    return value;
}

ByteView ByteReader::take(std::size_t count) {
    if (!ok_ || count > remaining()) {
        ok_ = false;
        at_ = bytes_.size();
        return {};
    }
    const ByteView field = bytes_.subspan(at_, count);
    at_ += count;
    return field;
}

std::uint8_t ByteReader::peek() {
    if (!ok_ || at_end()) {
        ok_ = false;
        return 0;
    }
    return bytes_[at_];
}

void ByteWriter::uint_be(std::uint64_t value, std::size_t width) {
    LANYARD_ASSERT(width <= 8);
    for (std::size_t i = width; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace lanyard
