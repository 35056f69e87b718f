#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/hex.hpp"

namespace lanyard {
namespace {

TEST(ByteReader, ReadsNetworkOrder) {
    const Bytes bytes = from_hex("01 0203 04050607").value();
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x04050607u);
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.at_end());
}

TEST(ByteReader, IsDeadAfterTheFirstFailure) {
    const Bytes bytes = from_hex("0102").value();
    ByteReader reader(bytes);
    EXPECT_EQ(reader.u32(), 0u);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0);
    EXPECT_TRUE(reader.take(1).empty());
}

TEST(ByteWriter, WritesWhatTheReaderReads) {
    Bytes out;
    ByteWriter writer(out);
    writer.u16(0xbeef);
    writer.uint_be(0x010203, 3);
    writer.put("ab");
    EXPECT_EQ(to_hex(out), "beef0102036162");
}

TEST(Base64, RoundTripsEveryLength) {
    Bytes bytes;
    for (int i = 0; i < 9; ++i) {
        EXPECT_EQ(from_base64(base64(bytes)).value(), bytes);
        EXPECT_EQ(from_base64(base64url(bytes)).value(), bytes);
        bytes.push_back(static_cast<std::uint8_t>(251 + i));
    }
    EXPECT_EQ(base64(Bytes{0xfb, 0xff}), "+/8=");
    EXPECT_EQ(base64url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Base64, IsAppendedWithItsPaddingWhateverStandsBefore) {
    std::string out = "x";
    append_base64(out, as_bytes("f"));
    append_base64(out, as_bytes("foo"));
    append_base64(out, as_bytes("fo"));
    EXPECT_EQ(out, "xZg==Zm9vZm8=");  // RFC 4648 section 10
}

TEST(Base64, RejectsWhatNoEncoderMakes) {
    for (const char* bad : {"Z", "Zm9vZ", "Zm9!", "Zg==Zg=="}) EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Hex, RejectsWhatIsNotHex) {
    EXPECT_FALSE(from_hex("0g"));
    EXPECT_FALSE(from_hex("012"));
    EXPECT_EQ(from_hex("0A 0b").value(), (Bytes{0x0a, 0x0b}));
}

}  // namespace
}  // namespace lanyard
