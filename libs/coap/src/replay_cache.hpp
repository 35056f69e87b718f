#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "base/bytes.hpp"

namespace lanyard::coap {

// The last answers sent, in one ring of bytes: adding one overwrites the oldest. Memory is taken on the first use,
// and pages of it as they are written. Not thread-safe.
class ReplayCache {
  public:
    // Where an answer lies: a position that never repeats (48 bits) and a size (16 bits).
    using Place = std::uint64_t;

    // `capacity` in bytes is rounded up to a power of two.
    explicit ReplayCache(std::size_t capacity) : capacity_(std::bit_ceil(capacity)) {}

    // Nothing if the answer is longer than the ring or 65535 bytes.
    std::optional<Place> add(ByteView answer) {
        if (answer.empty() || answer.size() > capacity_ || answer.size() > 0xffff) return std::nullopt;
        if (bytes_ == nullptr) bytes_.reset(new std::uint8_t[capacity_]);
        std::uint64_t offset = end_ & (capacity_ - 1);
        if (offset + answer.size() > capacity_) {  // answers are contiguous: skip the rest of the ring
            end_ += capacity_ - offset;
            offset = 0;
        }
        std::memcpy(bytes_.get() + offset, answer.data(), answer.size());
        const Place place = (end_ << 16) | answer.size();
        end_ += answer.size();
        return place;
    }
    // Nothing if it has been overwritten. Valid until the next add().
    [[nodiscard]] std::optional<ByteView> find(Place place) const {
        const std::uint64_t position = place >> 16;
        if (position + capacity_ < end_) return std::nullopt;
        return ByteView(bytes_.get() + (position & (capacity_ - 1)), place & 0xffff);
    }

  private:
    std::size_t capacity_;
    std::uint64_t end_ = 0;
    std::unique_ptr<std::uint8_t[]> bytes_;
};

}  // namespace lanyard::coap
