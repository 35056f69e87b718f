#include "runtime/socket_address.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace lanyard::runtime {
namespace {

TEST(SocketAddress, ParsesAndPrintsBothFamilies) {
    for (const char* text : {"127.0.0.1:5683", "0.0.0.0:0", "[::1]:5683", "[::]:0", "[2001:db8::17]:65535"}) {
        const auto address = parse_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), text);
        std::string again = "something else";
        to_string(*address, again);
        EXPECT_EQ(again, text);
    }
    EXPECT_EQ(to_string(*parse_address("[::ffff:10.0.0.1]:7")), "10.0.0.1:7");
}

TEST(SocketAddress, RefusesWhatIsNotOne) {
    for (const char* text :
         {"", ":", "5683", "localhost:5683", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "1.2.3:4", "::1:5683",
          "[::1]", "[]:1", "127.0.0.1:-1", "127.0.0.1:1x", "[127.0.0.1]:1", "[fe80::1%lo]:1"}) {
        const auto address = parse_address(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().code, Errc::invalid_argument);
        EXPECT_NE(address.error().message.find("127.0.0.1:5683"), std::string::npos);
    }
}

TEST(SocketAddress, SurvivesTheSystemsForm) {
    for (const char* text : {"10.1.2.3:5683", "[2001:db8::17]:1"}) {
        const Address address = *parse_address(text);
        for (const bool as_v6 : {false, true}) {
            sockaddr_storage storage{};
            const unsigned length = to_sockaddr(address, as_v6, storage);
            EXPECT_EQ(length, address.is_v4() && !as_v6 ? 16U : 28U);
            EXPECT_EQ(from_sockaddr(reinterpret_cast<const sockaddr&>(storage)), address);
        }
    }
    sockaddr_storage other{};
    other.ss_family = AF_UNIX;
    EXPECT_EQ(from_sockaddr(reinterpret_cast<const sockaddr&>(other)), Address{});
}

TEST(SocketAddress, KnowsLoopbackAndUnspecified) {
    EXPECT_TRUE(is_loopback(*parse_address("127.8.0.1:1")));
    EXPECT_TRUE(is_loopback(*parse_address("[::1]:1")));
    EXPECT_FALSE(is_loopback(*parse_address("0.0.0.0:1")));
    EXPECT_FALSE(is_loopback(*parse_address("[::]:1")));
    EXPECT_TRUE(is_unspecified(*parse_address("0.0.0.0:1")));
    EXPECT_TRUE(is_unspecified(*parse_address("[::]:1")));
    EXPECT_FALSE(is_unspecified(*parse_address("[::1]:1")));
}

}  // namespace
}  // namespace lanyard::runtime
