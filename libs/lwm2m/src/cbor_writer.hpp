#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::lwm2m {

// Appends CBOR in preferred serialization (RFC 8949 section 4.1, floats of 4 or 8 bytes) to a vector of the caller.
class CborWriter {
  public:
    explicit CborWriter(Bytes& out) : writer_(out) {}

    void array(std::size_t count) { head(4, count); }
    void map(std::size_t pairs) { head(5, pairs); }
    void integer(std::int64_t number);
    void text(std::string_view text);
    // Numbers, text and so on as they are; objlnk and corelnk as text, time as a plain integer (with tag 1 when
    // `tag_time`), no value as null.
    void value(const Value& value, bool tag_time = false);

  private:
    friend struct CborValueWriter;
    void head(unsigned major, std::uint64_t argument);

    ByteWriter writer_;
};

}  // namespace lanyard::lwm2m
