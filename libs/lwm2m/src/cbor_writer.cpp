#include "cbor_writer.hpp"

#include <bit>
#include <cfloat>
#include <cmath>

namespace lanyard::lwm2m {

struct CborValueWriter {
    CborWriter& out;
    bool tag_time;

    void operator()(std::monostate) const { out.writer_.u8(0xf6); }
    void operator()(std::int64_t v) const { out.integer(v); }
    void operator()(std::uint64_t v) const { out.head(0, v); }
    void operator()(double v) const {
        if (std::fabs(v) <= FLT_MAX && double{static_cast<float>(v)} == v) {
            out.writer_.u8(0xfa);
            return out.writer_.u32(std::bit_cast<std::uint32_t>(static_cast<float>(v)));
        }
        out.writer_.u8(0xfb);
        out.writer_.u64(std::bit_cast<std::uint64_t>(v));
    }
    void operator()(bool v) const { out.writer_.u8(v ? 0xf5 : 0xf4); }
    void operator()(const std::string& v) const { out.text(v); }
    void operator()(const Bytes& v) const {
        out.head(2, v.size());
        out.writer_.put(ByteView(v));
    }
    void operator()(Time v) const {
        if (tag_time) out.head(6, 1);
        out.integer(v.seconds);
    }
    void operator()(ObjectLink v) const { out.text(v.to_string()); }
    void operator()(const CoreLink& v) const { out.text(v.text); }
};

void CborWriter::head(unsigned major, std::uint64_t argument) {
    const auto initial = static_cast<std::uint8_t>(major << 5);
    if (argument < 24) return writer_.u8(static_cast<std::uint8_t>(initial | argument));
    const unsigned log_width = argument < 0x100 ? 0 : argument < 0x10000 ? 1 : argument < 0x100000000 ? 2 : 3;
    writer_.u8(static_cast<std::uint8_t>(initial | (24 + log_width)));
    writer_.uint_be(argument, std::size_t{1} << log_width);
}

void CborWriter::integer(std::int64_t number) {
    if (number >= 0) return head(0, static_cast<std::uint64_t>(number));
    head(1, static_cast<std::uint64_t>(-1 - number));
}

void CborWriter::text(std::string_view text) {
    head(3, text.size());
    writer_.put(text);
}

void CborWriter::value(const Value& value, bool tag_time) {
    std::visit(CborValueWriter{*this, tag_time}, value);
}

}  // namespace lanyard::lwm2m
