#include "runtime/udp_socket.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/poller.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;

const Address kAnyPort = Address::v4(0x7f000001, 0);

UdpSocket open(const Address& address = kAnyPort, UdpOptions options = {}) {
    auto socket = UdpSocket::bind(address, options);
    EXPECT_TRUE(socket) << socket.error().message;
    return std::move(*socket);
}

struct Datagram {
    Address peer;
    Address local;
    std::string text;
    bool truncated = false;
};

// Waits for `count` datagrams, five seconds at most.
std::vector<Datagram> receive(UdpSocket& socket, std::size_t count) {
    std::vector<Datagram> out;
    Poller poller;
    poller.add(socket.fd(), 1);
    while (out.size() < count && !poller.wait(5s).empty()) {
        for (const Received& r : socket.recv_batch()) {
            out.push_back({r.peer, r.local, lanyard::to_string(ByteView(r.bytes)), r.truncated});
        }
    }
    return out;
}

TEST(UdpSocket, BindsAFreePortAndTellsIt) {
    const UdpSocket socket = open();
    EXPECT_NE(socket.local().port, 0);
    EXPECT_TRUE(is_loopback(socket.local()));
}

TEST(UdpSocket, MovesMoreThanOneBatchInOrder) {
    UdpSocket a = open();
    UdpSocket b = open();
    std::vector<std::string> texts;
    for (int i = 0; i < 150; ++i) texts.push_back("datagram " + std::to_string(i));
    std::vector<Outgoing> out;
    for (const auto& text : texts) out.push_back({b.local(), {}, as_bytes(text)});
    EXPECT_EQ(a.send_batch(out), out.size());
    const auto in = receive(b, texts.size());
    ASSERT_EQ(in.size(), texts.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        EXPECT_EQ(in[i].text, texts[i]);
        EXPECT_EQ(in[i].peer, a.local());
        EXPECT_EQ(in[i].local, (Address{{}, b.local().port}));
    }
    EXPECT_EQ(a.counters().sent, 150U);
    EXPECT_EQ(b.counters().received, 150U);
    EXPECT_EQ(b.counters().received_bytes, a.counters().sent_bytes);
    EXPECT_TRUE(b.recv_batch().empty());
}

TEST(UdpSocket, SendsFromTheSourceAddressAskedForAndTellsTheLocalOne) {
    UdpSocket server = open(*parse_address("0.0.0.0:0"), {.want_local_address = true});
    UdpSocket client = open(*parse_address("0.0.0.0:0"));
    const Address target{parse_address("127.0.0.9:1")->ip, server.local().port};
    const std::array<Outgoing, 2> out{{{target, *parse_address("127.1.2.3:0"), as_bytes("one")},
                                       {target, *parse_address("127.1.2.4:0"), as_bytes("two")}}};
    EXPECT_EQ(client.send_batch(out), 2U);
    const auto in = receive(server, 2);
    ASSERT_EQ(in.size(), 2U);
    const std::string port = ":" + std::to_string(client.local().port);
    EXPECT_EQ(to_string(in[0].peer), "127.1.2.3" + port);
    EXPECT_EQ(to_string(in[1].peer), "127.1.2.4" + port);
    EXPECT_EQ(in[0].local, target);
}

TEST(UdpSocket, SpeaksIpv6) {
    auto bound = UdpSocket::bind(*parse_address("[::1]:0"), {.want_local_address = true});
    if (!bound) GTEST_SKIP() << "no IPv6 here: " << bound.error().message;
    UdpSocket b = std::move(*bound);
    UdpSocket a = open(*parse_address("[::]:0"));
    const std::array<Outgoing, 1> out{{{b.local(), *parse_address("[::1]:0"), as_bytes("six")}}};
    EXPECT_EQ(a.send_batch(out), 1U);
    const auto in = receive(b, 1);
    ASSERT_EQ(in.size(), 1U);
    EXPECT_EQ(in[0].text, "six");
    EXPECT_EQ(in[0].local, b.local());
}

TEST(UdpSocket, TakesIpv4OnADualStackSocketAndAnswers) {
    auto bound = UdpSocket::bind(*parse_address("[::]:0"), {.dual_stack = true, .want_local_address = true});
    if (!bound) GTEST_SKIP() << "no IPv6 here: " << bound.error().message;
    UdpSocket server = std::move(*bound);
    UdpSocket client = open();
    const Address target = Address::v4(0x7f000007, server.local().port);
    EXPECT_EQ(client.send_batch(std::array<Outgoing, 1>{{{target, {}, as_bytes("ping")}}}), 1U);
    const auto in = receive(server, 1);
    ASSERT_EQ(in.size(), 1U);
    EXPECT_EQ(in[0].peer, client.local());
    EXPECT_EQ(in[0].local, target);
    EXPECT_EQ(server.send_batch(std::array<Outgoing, 1>{{{in[0].peer, in[0].local, as_bytes("pong")}}}), 1U);
    const auto back = receive(client, 1);
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back[0].peer, target);
}

TEST(UdpSocket, CutsAndMarksLongDatagrams) {
    UdpSocket a = open();
    UdpSocket b = open(kAnyPort, {.max_datagram_bytes = 8});
    EXPECT_EQ(a.send_batch(std::array<Outgoing, 1>{{{b.local(), {}, as_bytes("123456789")}}}), 1U);
    const auto in = receive(b, 1);
    ASSERT_EQ(in.size(), 1U);
    EXPECT_TRUE(in[0].truncated);
    EXPECT_EQ(in[0].text, "12345678");
    EXPECT_EQ(b.counters().truncated, 1U);
}

TEST(UdpSocket, DropsOnlyTheDatagramThatCannotBeSent) {
    UdpSocket a = open();
    UdpSocket b = open();
    const std::string huge(70'000, 'x');
    const std::array<Outgoing, 3> out{
        {{b.local(), {}, as_bytes("1")}, {b.local(), {}, as_bytes(huge)}, {b.local(), {}, as_bytes("3")}}};
    EXPECT_EQ(a.send_batch(out), 3U);
    EXPECT_EQ(a.counters().send_dropped, 1U);
    const auto in = receive(b, 2);
    ASSERT_EQ(in.size(), 2U);
    EXPECT_EQ(in[1].text, "3");
}

TEST(UdpSocket, GoesOnAfterAPeerThatIsGone) {
    UdpSocket a = open();
    Address gone;
    { gone = open().local(); }
    UdpSocket b = open();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(a.send_batch(std::array<Outgoing, 1>{{{gone, {}, as_bytes("hello?")}}}), 1U);
        EXPECT_TRUE(a.recv_batch().empty());
    }
    EXPECT_EQ(a.send_batch(std::array<Outgoing, 1>{{{b.local(), {}, as_bytes("hello!")}}}), 1U);
    EXPECT_EQ(receive(b, 1).size(), 1U);
}

TEST(UdpSocket, SharesAPortAmongShardsOnlyWhenAllowed) {
    const UdpSocket first = open();
    EXPECT_TRUE(UdpSocket::bind(first.local()));
    const auto refused = UdpSocket::bind(first.local(), {.reuse_port = false});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().message.find(to_string(first.local())), std::string::npos);
}

}  // namespace
}  // namespace lanyard::runtime
