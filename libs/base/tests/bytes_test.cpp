#include "base/bytes.hpp"

#include <gtest/gtest.h>

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

TEST(Hex, RejectsWhatIsNotHex) {
    EXPECT_FALSE(from_hex("0g"));
    EXPECT_FALSE(from_hex("012"));
    EXPECT_EQ(from_hex("0A 0b").value(), (Bytes{0x0a, 0x0b}));
}

}  // namespace
}  // namespace lanyard
