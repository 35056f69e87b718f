#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace lanyard {
namespace {

// Expected values: the test of Kafka's own org.apache.kafka.common.utils.Utils.murmur2 (UtilsTest), where
// negative Java ints are given here as unsigned.
TEST(Murmur2, AgreesWithKafka) {
    EXPECT_EQ(murmur2(as_bytes("21")), static_cast<std::uint32_t>(-973932308));
    EXPECT_EQ(murmur2(as_bytes("foobar")), static_cast<std::uint32_t>(-790332482));
    EXPECT_EQ(murmur2(as_bytes("a-little-bit-long-string")), static_cast<std::uint32_t>(-985981536));
}

// Expected value: SipHash paper, appendix A (key 00..0f, input 00..0e).
TEST(SipHash24, AgreesWithThePaper) {
    SipKey key{};
    for (std::uint8_t i = 0; i < 16; ++i) key[i] = i;
    Bytes input;
    for (std::uint8_t i = 0; i < 15; ++i) input.push_back(i);
    EXPECT_EQ(siphash24(key, input), 0xa129ca6149be45e5ULL);
}

}  // namespace
}  // namespace lanyard
