#include "redis/command.hpp"

#include <gtest/gtest.h>

namespace lanyard::redis {
namespace {

using namespace std::string_view_literals;

TEST(RedisBatch, EncodesACommandAsAnArrayOfBulkStrings) {
    Batch batch;
    batch.add({"SET", "k", "\0\r\n"sv});
    EXPECT_EQ(batch.encoded(0), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\0\r\n\r\n"sv);
}

TEST(RedisBatch, KeepsCommandsApart) {
    Batch batch;
    batch.add({"PING"});
    batch.add({"GET", ""});
    ASSERT_EQ(batch.size(), 2U);
    EXPECT_EQ(batch.encoded(0), "*1\r\n$4\r\nPING\r\n");
    EXPECT_EQ(batch.encoded(1), "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
}

TEST(RedisBatch, EvaluatesAScriptByItsDigest) {
    Batch batch;
    batch.eval(Script("abc"), {"k1", "k2"}, {"v"});
    EXPECT_EQ(batch.encoded(0), "*6\r\n$7\r\nEVALSHA\r\n$3\r\nabc\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n$1\r\nv\r\n");
}

}  // namespace
}  // namespace lanyard::redis
