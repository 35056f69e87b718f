#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::lwm2m {

enum class CborKind : std::uint8_t {
    unsigned_number,
    negative_number,
    bytes,
    text,
    array,
    map,
    tag,
    boolean,
    null,
    floating,
    break_,
};

// The head of one data item (RFC 8949 section 3), and the content of a string.
struct CborItem {
    CborKind kind = CborKind::null;
    // The number; for a negative one n of -1 - n; elements of an array, pairs of a map; the tag; 0 or 1 of a boolean.
    std::uint64_t argument = 0;
    double real = 0;
    // An array or map that goes to a break.
    bool indefinite = false;
    // Content of a string; valid until the next call of the reader.
    ByteView content;
};

// Reads CBOR items one after the other from a buffer that must outlive it. Every length is checked against what is
// left before anything is taken; there is no recursion. Undefined is read as null. Not thread-safe.
class CborReader {
  public:
    explicit CborReader(ByteView bytes) : reader_(bytes) {}

    // invalid_argument: truncated, reserved or not well-formed.
    Result<CborItem> next();
    // Reads past one whole item whose head is `item`. too_large: nested deeper than kMaxDepth.
    Result<void> skip(const CborItem& item);
    // The value that begins with `item`: number, boolean, text, bytes, null; tags 1 (epoch time), 0 (date and time)
    // and 4 (decimal fraction) as what they stand for, any other but bignums as what they enclose.
    Result<Value> value(CborItem item);
    // For items of an array or map: false at its end, be that a count run down or a break. `left` is the
    // argument of the head; it is counted down.
    Result<bool> more(const CborItem& container, std::uint64_t& left);

    [[nodiscard]] bool at_end() const { return reader_.at_end(); }

  private:
    Result<CborItem> simple_or_float(std::uint8_t info, std::uint64_t argument);
    Result<void> read_string(CborItem& item);
    Result<Value> decimal_fraction();
    Result<Value> epoch_time();

    ByteReader reader_;
    // Chunked strings are put together here.
    Bytes joined_;
};

}  // namespace lanyard::lwm2m
