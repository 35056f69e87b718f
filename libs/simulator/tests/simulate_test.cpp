#include "simulator/simulate.hpp"

#include <array>
#include <atomic>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "coap/message.hpp"
#include "runtime/poller.hpp"
#include "runtime/thread.hpp"
#include "runtime/udp_socket.hpp"
#include "simulator/report.hpp"

namespace lanyard::simulator {
namespace {

using coap::Code;

// The least a server can be, on a thread of its own: registers, observes the temperature, acknowledges.
class MiniServer {
  public:
    explicit MiniServer(const Address& address)
        : socket_(*runtime::UdpSocket::bind(address)), target(socket_.local()), thread_("server", [this] { run(); }) {}
    ~MiniServer() { stop_ = true; }

    std::atomic<bool> observe = false;
    std::atomic<std::size_t> peers = 0;

  private:
    void run() {
        runtime::Poller poller;
        poller.add(socket_.fd(), 0);
        while (!stop_) {
            static_cast<void>(poller.wait(std::chrono::milliseconds(5)));
            for (const runtime::Received& received : socket_.recv_batch()) answer(received);
        }
    }
    void send(const Address& peer, ByteView bytes) {
        const runtime::Outgoing outgoing{peer, {}, bytes};
        static_cast<void>(socket_.send_batch(std::span(&outgoing, 1)));
    }
    void answer(const runtime::Received& received) {
        coap::MessageView message;
        if (message.decode(received.bytes) != coap::DecodeError::none || message.type() != coap::Type::confirmable)
            return;
        std::array<std::uint8_t, 256> buffer;
        coap::Header header{coap::Type::acknowledgement, Code::empty, message.mid()};
        if (!coap::is_request(message.code())) {
            send(received.peer, coap::encode(buffer, header, {}, {}));
            return;
        }
        coap::Options options;
        header.code = message.path_is("rd") ? Code::created : Code::changed;
        if (header.code == Code::created) {
            options.location("/rd/" + std::to_string(++peers));
        }
        send(received.peer, coap::encode(buffer, header, message.token(), options));
        if (header.code != Code::created || !observe) return;
        coap::Options request;
        request.observe(0).path("/3303/0/5700");
        header = {coap::Type::confirmable, Code::get, ++mid_};
        send(received.peer, coap::encode(buffer, header, coap::Token::from_u64(peers), request));
    }

    runtime::UdpSocket socket_;
    std::uint16_t mid_ = 0;
    std::atomic<bool> stop_ = false;

  public:
    const Address target;

  private:
    runtime::Thread thread_;  // last: joined first
};

SimulateOptions options_for(const MiniServer& server) {
    SimulateOptions options;
    options.target = server.target;
    options.count = 500;
    options.register_rate_per_s = 0;
    options.profile.sample_interval = std::chrono::milliseconds(0);
    options.load.emplace();
    options.load->duration = std::chrono::milliseconds(200);
    return options;
}

TEST(Simulate, OneSocketPlaysManyDevicesOnLoopback) {
    const std::atomic<bool> stop = false;
    MiniServer server(Address::v4(0x7f000001, 0));
    const Result<SimulateSummary> summary = simulate(options_for(server), {}, stop);
    ASSERT_TRUE(summary.has_value()) << summary.error().message;
    EXPECT_EQ(summary->fleet.registered_now, 500U);
    ASSERT_TRUE(summary->load);
    EXPECT_GT(summary->load->totals.acknowledged, 500U);
    EXPECT_TRUE(summary->load->totals.errors.empty());
    const auto json = nlohmann::json::parse(summary_json(*summary));
    EXPECT_EQ(json["load"]["load"], "updates");
    EXPECT_GT(json["load"]["latency_us"]["p99"], 0);
    EXPECT_FALSE(summary_text(*summary).empty());
}

TEST(Simulate, NotifiesWhatIsObservedAndLogsEveryAcknowledgement) {
    const std::atomic<bool> stop = false;
    MiniServer server(Address::v4(0x7f000001, 0));
    server.observe = true;
    SimulateOptions options = options_for(server);
    options.count = 50;
    options.load->kind = LoadKind::notifications;
    options.load->window = 16;
    options.ack_log = ::testing::TempDir() + "/simulate-acks.jsonl";
    const Result<SimulateSummary> summary = simulate(options, {}, stop);
    ASSERT_TRUE(summary.has_value()) << summary.error().message;
    std::ifstream file(options.ack_log);
    std::uint64_t notifications = 0;
    for (std::string line; std::getline(file, line);) {
        const auto entry = nlohmann::json::parse(line);
        if (entry["kind"] == "notify") ++notifications;
    }
    EXPECT_GT(notifications, 50U);
    EXPECT_EQ(notifications, summary->load->totals.acknowledged);
}

TEST(Simulate, UsesASocketForEachDeviceTowardsIpv6) {
    const std::atomic<bool> stop = false;
    Address any;
    any.ip[15] = 1;
    MiniServer server(any);
    SimulateOptions options = options_for(server);
    options.count = 20;
    options.load->window = 8;
    const Result<SimulateSummary> summary = simulate(options, {}, stop);
    ASSERT_TRUE(summary.has_value()) << summary.error().message;
    EXPECT_EQ(summary->fleet.registered_now, 20U);
    EXPECT_GT(summary->load->totals.acknowledged, 20U);
}

TEST(Simulate, SaysByeAndEndsByTime) {
    const std::atomic<bool> stop = false;
    MiniServer server(Address::v4(0x7f000001, 0));
    SimulateOptions options = options_for(server);
    options.load.reset();
    options.count = 10;
    options.duration = std::chrono::milliseconds(100);
    options.deregister = true;
    const Result<SimulateSummary> summary = simulate(options, {}, stop);
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(summary->fleet.registered_now, 0U);
    EXPECT_EQ(summary->exchanges.at(device::ExchangeKind::deregister).acknowledged, 10U);
}

TEST(Simulate, DevicesLiveOnForAWhileWhenTold) {
    const std::atomic<bool> stop = false;
    MiniServer server(Address::v4(0x7f000001, 0));
    SimulateOptions options = options_for(server);
    options.load->duration = std::chrono::milliseconds(50);
    options.linger = std::chrono::milliseconds(200);
    const Result<SimulateSummary> summary = simulate(options, {}, stop);
    ASSERT_TRUE(summary.has_value());
    EXPECT_GE(summary->seconds, 0.2);
}

TEST(Simulate, PacedLoadKeepsItsRate) {
    const std::atomic<bool> stop = false;
    MiniServer server(Address::v4(0x7f000001, 0));
    SimulateOptions options = options_for(server);
    options.load->rate_per_s = 1'000;
    options.load->duration = std::chrono::milliseconds(500);
    const Result<SimulateSummary> summary = simulate(options, {}, stop);
    ASSERT_TRUE(summary.has_value());
    EXPECT_NEAR(static_cast<double>(summary->load->totals.sent), 500, 60);
}

}  // namespace
}  // namespace lanyard::simulator
