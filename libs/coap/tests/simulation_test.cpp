#include <functional>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "endpoint_fixture.hpp"

// Two endpoints over a network that loses, repeats and reorders datagrams, in virtual time.
namespace lanyard::coap {
namespace {

const PeerId kDevice{Address::v4(0x0a000001, 5683), 0};
const PeerId kServer{Address::v4(0x0a0000fe, 5683), 0};

struct Quality {
    double loss = 0;
    double duplication = 0;
    Duration max_delay = milliseconds(1);
};

class Network;

// One side: echoes request bodies at its own pace, counts what it is told.
class Node : public EndpointVisitor {
  public:
    Node(Network& network, const PeerId& self, const PeerId& other, const EndpointConfig& config, Now now)
        : network_(network), self_(self), other_(other), endpoint(config, *this, now) {}

    void transmit(const PeerId& peer, ByteView datagram) override;
    void on_request(const PeerId&, const RequestView& request, RequestHandle handle) override;
    void on_response(std::uint64_t cookie, const ResponseView& response) override {
        ++answers[cookie];
        bodies[cookie] = lanyard::to_string(response.payload);
    }
    void on_request_failed(std::uint64_t cookie, FailureReason) override { ++failures[cookie]; }
    void on_notification(const PeerId&, const NotificationView& view, NotificationHandle handle) override {
        ++notifications[view.observe.value_or(0)];
        endpoint.ack(handle);
    }
    void on_notification_acknowledged(std::uint64_t cookie) override { ++answers[cookie]; }
    void on_notification_failed(std::uint64_t cookie, FailureReason) override { ++failures[cookie]; }

  private:
    Network& network_;
    PeerId self_;
    PeerId other_;

  public:
    Endpoint endpoint;
    std::map<std::uint64_t, int> answers;
    std::map<std::uint64_t, int> failures;
    std::map<std::uint64_t, std::string> bodies;
    std::map<std::string, int> handled;  // requests by query
    std::map<std::uint32_t, int> notifications;
};

class Network {
  public:
    Network(std::uint32_t seed, const Quality& quality, std::uint8_t szx = 6, unsigned max_retransmit = 4)
        : random(seed),
          quality_(quality),
          device(*this, kDevice, kServer, config(seed, szx, max_retransmit), now),
          server(*this, kServer, kDevice, config(seed + 1, szx, max_retransmit), now) {}

    void send(const PeerId& from, const PeerId& to, ByteView datagram) {
        if (chance() < quality_.loss) return;
        const int copies = chance() < quality_.duplication ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            const auto delay =
                Duration(static_cast<Duration::rep>(chance() * static_cast<double>(quality_.max_delay.count())));
            at(now.steady + delay, [this, from, to, bytes = Bytes(datagram.begin(), datagram.end())] {
                (to == kDevice ? device : server).endpoint.on_datagram(from, bytes, now);
            });
        }
    }
    void at(SteadyTime time, std::function<void()> action) { events_.emplace(time, std::move(action)); }

    void run(Duration duration) {
        const SteadyTime until = now.steady + duration;
        for (;;) {
            SteadyTime next = until;
            for (Node* node : {&device, &server}) {
                next = std::min(next, node->endpoint.next_timeout().value_or(until));
            }
            if (!events_.empty()) next = std::min(next, events_.begin()->first);
            now.steady = std::max(now.steady, next);
            if (now.steady >= until) break;
            while (!events_.empty() && events_.begin()->first <= now.steady) {
                const auto action = std::move(events_.begin()->second);
                events_.erase(events_.begin());
                action();
            }
            device.endpoint.on_timer(now);
            server.endpoint.on_timer(now);
        }
    }
    double chance() { return std::uniform_real_distribution<>(0, 1)(random); }

    Now now{SteadyTime(seconds(1000)), 0};
    std::mt19937 random;

  private:
    static EndpointConfig config(std::uint64_t seed, std::uint8_t szx, unsigned max_retransmit) {
        EndpointConfig config;
        config.seed = seed;
        config.szx = szx;
        config.tx.max_retransmit = max_retransmit;
        return config;
    }
    Quality quality_;
    std::multimap<SteadyTime, std::function<void()>> events_;

  public:
    Node device;
    Node server;
};

void Node::transmit(const PeerId& peer, ByteView datagram) {
    EXPECT_EQ(peer, other_);
    network_.send(self_, peer, datagram);
}

void Node::on_request(const PeerId&, const RequestView& request, RequestHandle handle) {
    const ByteView query = request.message.find(OptionNumber::uri_query).value_or(ByteView());
    ++handled[lanyard::to_string(query)];
    const auto answer = [this, handle, body = lanyard::to_string(request.payload)] {
        Response response;
        response.code = Code::changed;
        response.payload = as_bytes(body);
        endpoint.respond(handle, response, network_.now);
    };
    // Half of the answers come late enough to be separate.
    if (network_.chance() < 0.5) {
        answer();
    } else {
        network_.at(network_.now.steady + milliseconds(2500), answer);
    }
}

class LossyNetwork : public testing::TestWithParam<std::uint32_t> {};

// Ten retransmissions instead of four: with four, 30 % loss in both directions ends 3 % of all exchanges.
TEST_P(LossyNetwork, CompletesEveryRequestExactlyOnce) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()));
    Network network(GetParam(), {0.3, 0.2, milliseconds(1500)}, 6, 10);
    constexpr std::uint64_t kCount = 60;
    for (std::uint64_t cookie = 1; cookie <= kCount; ++cookie) {
        Node& sender = cookie % 2 == 0 ? network.device : network.server;
        network.at(network.now.steady + seconds(cookie * 3), [&network, &sender, cookie] {
            Request request;
            request.method = Code::post;
            request.options.path("x").query(std::to_string(cookie));
            const std::string body = "body " + std::to_string(cookie);
            request.payload = as_bytes(body);
            request.deadline = network.now.steady + seconds(20'000);
            ASSERT_EQ(sender.endpoint.send_request(&sender == &network.device ? kServer : kDevice, request, cookie,
                                                   network.now),
                      SendStatus::ok);
        });
    }
    network.run(seconds(40'000));
    for (std::uint64_t cookie = 1; cookie <= kCount; ++cookie) {
        Node& sender = cookie % 2 == 0 ? network.device : network.server;
        Node& receiver = cookie % 2 == 0 ? network.server : network.device;
        EXPECT_EQ(sender.answers[cookie], 1) << cookie;
        EXPECT_EQ(sender.failures[cookie], 0) << cookie;
        EXPECT_EQ(receiver.handled[std::to_string(cookie)], 1) << cookie;
        EXPECT_EQ(sender.bodies[cookie], "body " + std::to_string(cookie));
    }
    EXPECT_EQ(network.device.endpoint.exchanges_in_progress(), 0U);
    EXPECT_EQ(network.server.endpoint.exchanges_in_progress(), 0U);
    EXPECT_EQ(network.device.endpoint.requests_pending(), 0U);
}

TEST_P(LossyNetwork, CompletesEverythingWhenLossIsModerate) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()));
    Network network(GetParam(), {0.08, 0.1, milliseconds(300)}, 2);
    std::string body(1500, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
    for (std::uint64_t cookie = 1; cookie <= 10; ++cookie) {
        Request request;
        request.method = Code::put;
        request.options.path("5/0/0").query(std::to_string(cookie));
        request.payload = as_bytes(body);
        request.deadline = network.now.steady + seconds(5000);
        ASSERT_EQ(network.server.endpoint.send_request(kDevice, request, cookie, network.now), SendStatus::ok);
    }
    network.run(seconds(6000));
    for (std::uint64_t cookie = 1; cookie <= 10; ++cookie) {
        EXPECT_EQ(network.server.answers[cookie], 1) << cookie;
        EXPECT_EQ(network.server.bodies[cookie], body) << cookie;
        EXPECT_EQ(network.device.handled[std::to_string(cookie)], 1) << cookie;
    }
}

TEST_P(LossyNetwork, DeliversConfirmableNotificationsOnce) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()));
    Network network(GetParam(), {0.3, 0.3, milliseconds(1500)});
    for (std::uint32_t sequence = 1; sequence <= 50; ++sequence) {
        network.at(network.now.steady + seconds(sequence * 5), [&network, sequence] {
            Notification notification;
            notification.token = Token::from_u64(99);
            notification.options.observe(sequence);
            notification.confirmable = true;
            notification.payload = as_bytes("22");
            ASSERT_EQ(network.device.endpoint.send_notification(kServer, notification, sequence, network.now),
                      SendStatus::ok);
        });
    }
    network.run(seconds(600));
    for (std::uint32_t sequence = 1; sequence <= 50; ++sequence) {
        EXPECT_EQ(network.device.answers[sequence] + network.device.failures[sequence], 1);
        EXPECT_LE(network.server.notifications[sequence], 1);
        if (network.device.answers[sequence] == 1) {
            EXPECT_EQ(network.server.notifications[sequence], 1);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LossyNetwork, testing::Range(1U, 13U));

}  // namespace
}  // namespace lanyard::coap
