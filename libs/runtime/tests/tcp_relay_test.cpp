#include "runtime/tcp_relay.hpp"

#include <gmock/gmock.h>

#include "http_client.hpp"
#include "runtime/admin_http.hpp"

namespace lanyard::runtime {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

struct TcpRelayTest : testing::Test {
    void SetUp() override {
        // Larger than what may wait in the relay.
        server.handle("/large", [](std::string_view) { return AdminReply{.body = std::string(300'000, 'x') + "."}; });
        ASSERT_TRUE(server.start());
    }

    telemetry::Logger log{"test", {}};
    telemetry::MetricRegistry metrics;
    AdminServer server{{}, log, metrics};
};

TEST_F(TcpRelayTest, PassesBytesBothWays) {
    const auto relay = TcpRelay::start({.target = server.local()});
    ASSERT_TRUE(relay) << relay.error().message;
    EXPECT_THAT(http_get((*relay)->local(), "/livez"), EndsWith("\r\n\r\nalive\n"));
    const std::string large = http_get((*relay)->local(), "/large");
    EXPECT_GT(large.size(), 300'000U);
    EXPECT_THAT(large, EndsWith("x."));
}

TEST_F(TcpRelayTest, ClosesConnectionsBeyondItsBound) {
    const auto relay = TcpRelay::start({.target = server.local(), .max_connections = 0});
    ASSERT_TRUE(relay) << relay.error().message;
    EXPECT_THAT(http_get((*relay)->local(), "/livez"), IsEmpty());
}

TEST_F(TcpRelayTest, ClosesWhenNobodyListensAtTheTarget) {
    const auto relay = TcpRelay::start({.target = Address::v4(0x7f000001, 1)});
    ASSERT_TRUE(relay) << relay.error().message;
    EXPECT_THAT(http_get((*relay)->local(), "/livez"), IsEmpty());
}

TEST_F(TcpRelayTest, NamesTheAddressThatIsTaken) {
    const auto relay = TcpRelay::start({.listen = server.local(), .target = server.local()});
    ASSERT_FALSE(relay);
    EXPECT_THAT(relay.error().message, HasSubstr(to_string(server.local())));
}

}  // namespace
}  // namespace lanyard::runtime
