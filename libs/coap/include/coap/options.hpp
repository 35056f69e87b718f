#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "coap/limits.hpp"
#include "coap/option.hpp"

namespace lanyard::coap {

// The options of a message to be sent, kept in the order of their numbers; repeated ones in the order of adding.
//
// Holds up to kMaxOptionsOut options with kMaxOptionBytesOut bytes of values inline and never allocates. What does
// not fit is left out and makes ok() false; requests and responses with such options are refused. Cheap to make;
// copies only what is used. Not thread-safe.
class Options {
  public:
    Options() {}  // NOLINT: leaves the arrays uninitialised on purpose
    Options(const Options& other) { *this = other; }
    Options& operator=(const Options& other);
    ~Options() = default;

    Options& add(OptionNumber number, ByteView value);
    Options& add(OptionNumber number, std::string_view value) { return add(number, as_bytes(value)); }
    // The shortest encoding; 0 is the empty value.
    Options& add_uint(OptionNumber number, std::uint64_t value);
    Options& add_block(OptionNumber number, const BlockOption& block) { return add_uint(number, block.encoded()); }
    // "/3/0", "3/0": one Uri-Path option for each segment; "" and "/" add none. No percent-decoding.
    Options& path(std::string_view path) { return add_segments(OptionNumber::uri_path, path); }
    Options& location(std::string_view path) { return add_segments(OptionNumber::location_path, path); }
    // One argument, "lt=60".
    Options& query(std::string_view argument) { return add(OptionNumber::uri_query, argument); }
    Options& content_format(std::uint16_t format) { return add_uint(OptionNumber::content_format, format); }
    Options& accept(std::uint16_t format) { return add_uint(OptionNumber::accept, format); }
    Options& observe(std::uint32_t value) { return add_uint(OptionNumber::observe, value & 0xffffff); }
    Options& max_age(std::uint32_t seconds) { return add_uint(OptionNumber::max_age, seconds); }

    // Takes out every option of this number.
    void remove(OptionNumber number);

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] OptionView operator[](std::size_t index) const {
        const Entry& entry = entries_[index];
        return {entry.number, ByteView(bytes_.data() + entry.offset, entry.size)};
    }
    [[nodiscard]] bool contains(OptionNumber number) const;

  private:
    struct Entry {
        OptionNumber number;
        std::uint16_t offset;
        std::uint16_t size;
    };
    Options& add_segments(OptionNumber number, std::string_view path);

    std::uint16_t count_ = 0;
    std::uint16_t used_ = 0;
    bool ok_ = true;
    std::array<Entry, kMaxOptionsOut> entries_;
    std::array<std::uint8_t, kMaxOptionBytesOut> bytes_;
};

}  // namespace lanyard::coap
