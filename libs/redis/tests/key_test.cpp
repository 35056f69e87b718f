#include "redis/key.hpp"

#include <gtest/gtest.h>

namespace lanyard::redis {
namespace {

TEST(RedisKey, WrapsTheTag) {
    EXPECT_EQ(tagged_key("reg:", "default/urn:imei:1", ":rec"), "reg:{default/urn:imei:1}:rec");
}

TEST(RedisKey, EscapesWhatWouldEndTheTag) {
    EXPECT_EQ(tagged_key("", "a}b%7Dc"), "{a%7Db%257Dc}");
    EXPECT_EQ(key_slot(tagged_key("x", "a}b")), key_slot(tagged_key("y", "a}b", "z")));
}

// Redis Cluster specification: CRC16 of "123456789" is 0x31C3; {user1000} decides for both keys.
TEST(RedisKey, HashesAsTheClusterDoes) {
    EXPECT_EQ(key_slot("123456789"), 0x31C3 % 16384);
    EXPECT_EQ(key_slot("{user1000}.following"), key_slot("{user1000}.followers"));
    EXPECT_EQ(key_slot("{user1000}.following"), key_slot("user1000"));
}

TEST(RedisKey, TakesTheWholeKeyWithoutATag) {
    EXPECT_NE(key_slot("foo{}{bar}"), key_slot("bar"));
    EXPECT_EQ(key_slot("foo{bar}{zap}"), key_slot("bar"));
    EXPECT_EQ(key_slot("foo{{bar}}zap"), key_slot("{bar"));
}

}  // namespace
}  // namespace lanyard::redis
