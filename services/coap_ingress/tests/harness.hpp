#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "coap/message.hpp"
#include "identity/observation_token.hpp"
#include "identity/registration_id.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "shard_core.hpp"

namespace lanyard::coap_ingress {

using namespace std::chrono_literals;
using Command = internal::v1::RegistrationCommand;
using RegistryAnswer = internal::v1::RegistrationResult;
using DownlinkOutcome = internal::v1::DownlinkResult;

inline constexpr std::string_view kLinks = "</1/0>,</3/0>,</3303/0>";

// A message as a device sees it.
struct SeenMessage {
    coap::PeerId peer;
    Bytes bytes;
    coap::MessageView view;
};

struct ProducedRecord {
    std::string key;
    events::v1::UplinkRecord record;
    std::uint64_t opaque = 0;
};

class CollectedReply final : public DownlinkReply {
  public:
    void deliver(internal::v1::DownlinkResult&& result) override { results.push_back(std::move(result)); }
    std::vector<internal::v1::DownlinkResult> results;
};

class CollectedLines final : public telemetry::LogSink {
  public:
    void write(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

// One ShardCore in virtual time with fakes on all sides.
class ShardTest : public ::testing::Test, private Transmitter, private UplinkSink, private RegistryPort {
  protected:
    ShardTest() : log_("test", {telemetry::Level::warn, telemetry::LogFormat::json}, lines_) {
        config.listeners = {Listener{Address::v4(0x7f000001, 5683), "default"},
                            Listener{Address::v4(0x7f000001, 5684), "other"}};
        for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
        now.steady = SteadyTime{} + 1000s;
        now.wall_ms = 1'700'000'000'000;
    }

    ShardCore& core() {
        if (!core_) {
            core_ =
                std::make_unique<ShardCore>(ShardSetup{config, key, 3, 42, log_, metrics, *this, *this, *this}, now);
        }
        return *core_;
    }
    void advance(Duration span, Duration step = 500ms) {
        while (span > Duration::zero()) {
            const Duration part = std::min(span, step);
            now.steady += part;
            now.wall_ms += std::chrono::duration_cast<std::chrono::milliseconds>(part).count();
            core().on_timer(now);
            span -= part;
        }
    }

    static coap::PeerId peer(std::uint16_t port, std::uint32_t listener = 0) {
        return {Address::v4(0x7f000001, port), listener};
    }
    void receive(const coap::PeerId& from, ByteView datagram) { core().on_message({from, {}, datagram}, now); }
    // Sends a message and tells its mid.
    std::uint16_t send(const coap::PeerId& from, coap::Type type, coap::Code code, const coap::Options& options,
                       std::string_view payload = {}, ByteView token = {}) {
        const std::uint16_t mid = next_mid_++;
        last_sent = encoded(type, code, mid, options, payload, token);
        receive(from, last_sent);
        return mid;
    }
    static Bytes encoded(coap::Type type, coap::Code code, std::uint16_t mid, const coap::Options& options,
                         std::string_view payload, ByteView token) {
        Bytes buffer(4096);
        const ByteView message =
            coap::encode(buffer, {type, code, mid}, coap::Token(token), options, as_bytes(payload));
        buffer.resize(message.size());
        return buffer;
    }
    // Takes the oldest message that the core sent and nobody looked at.
    std::optional<SeenMessage> seen() {
        if (outbox_.empty()) return std::nullopt;
        SeenMessage message;
        message.peer = outbox_.front().first;
        message.bytes = std::move(outbox_.front().second);
        outbox_.erase(outbox_.begin());
        EXPECT_EQ(message.view.decode(message.bytes), coap::DecodeError::none);
        return message;
    }
    // The code of the next message; 0 when there is none.
    coap::Code seen_code() {
        const auto message = seen();
        return message ? message->view.code() : coap::Code::empty;
    }
    // The next answer is 5.03, to be asked again after so many seconds.
    void expect_unavailable(std::uint32_t at_least, std::uint32_t at_most) {
        const auto message = seen();
        ASSERT_TRUE(message);
        EXPECT_EQ(message->view.code(), coap::Code::service_unavailable);
        const auto max_age = message->view.find_uint(coap::OptionNumber::max_age);
        ASSERT_TRUE(max_age);
        EXPECT_GE(*max_age, at_least);
        EXPECT_LE(*max_age, at_most);
    }

    static coap::Options register_options(const std::string& endpoint, const std::string& lifetime = "300") {
        coap::Options options;
        options.path("rd").content_format(40);
        options.query("ep=" + endpoint).query("lt=" + lifetime).query("lwm2m=1.1").query("b=U");
        return options;
    }
    static coap::Options location_options(const std::string& id) {
        coap::Options options;
        options.path("rd/" + id);
        return options;
    }
    void start_register(const coap::PeerId& from, const std::string& endpoint, const std::string& lifetime = "300") {
        send(from, coap::Type::confirmable, coap::Code::post, register_options(endpoint, lifetime), kLinks);
    }
    // The registry's answer to the newest command.
    RegistryAnswer answer_to(const Command& command, RegistryAnswer::Status status = RegistryAnswer::STATUS_OK) const {
        RegistryAnswer answer;
        answer.set_id(command.id());
        answer.set_status(status);
        return answer;
    }
    void fill(internal::v1::OwnedRegistration& owned, std::uint32_t number, const std::string& endpoint,
              std::uint32_t lifetime, std::uint32_t generation = 1, std::uint32_t epoch = 1) const {
        owned.set_device_number(number);
        owned.set_generation(generation);
        owned.set_epoch(epoch);
        owned.set_lifetime_s(lifetime);
        owned.set_pledge_s(lifetime == 0 ? 0 : wall_s() + 2 * lifetime + 60);
        owned.set_tenant("default");
        owned.set_endpoint(endpoint);
        owned.set_lwm2m_version("1.1");
    }
    std::uint32_t wall_s() const { return static_cast<std::uint32_t>(now.wall_ms / 1000); }
    Command take_command() {
        EXPECT_FALSE(commands.empty());
        Command command = std::move(commands.front());
        commands.erase(commands.begin());
        return command;
    }
    // A whole registration; gives the location's id.
    std::string register_device(const coap::PeerId& from, const std::string& endpoint, std::uint32_t number,
                                std::uint32_t lifetime = 300, bool queue_mode = false) {
        start_register(from, endpoint, std::to_string(lifetime));
        RegistryAnswer answer = answer_to(take_command());
        fill(*answer.mutable_registration(), number, endpoint, lifetime);
        answer.mutable_registration()->set_queue_mode(queue_mode);
        core().on_registry_result(answer, now);
        const auto message = seen();
        EXPECT_TRUE(message && message->view.code() == coap::Code::created);
        return identity::format_registration_id(key, {{number}, 1});
    }
    std::uint16_t update(const coap::PeerId& from, const std::string& id) {
        return send(from, coap::Type::confirmable, coap::Code::post, location_options(id));
    }
    Bytes token(std::uint32_t number, std::uint16_t spec = 5, std::uint32_t generation = 1) const {
        const auto bytes = identity::make_observation_token(key, {number}, spec, generation);
        return {bytes.begin(), bytes.end()};
    }
    std::uint16_t notify(const coap::PeerId& from, ByteView observation, std::string_view payload,
                         std::uint32_t sequence = 7, coap::Type type = coap::Type::confirmable) {
        coap::Options options;
        options.observe(sequence).content_format(0);
        return send(from, type, coap::Code::content, options, payload, observation);
    }

    // What was logged since the last call, without what does not matter here.
    std::vector<std::string> logged() {
        for (std::string& line : lines_->lines) line.erase(0, line.find("\"msg\""));
        return std::move(lines_->lines);
    }

    Config config;
    SipKey key{};
    Now now;
    ShardMetrics metrics;
    std::vector<Command> commands;
    std::vector<ProducedRecord> produced;
    bool registry_up = true;
    bool kafka_up = true;
    Bytes last_sent;

  private:
    void transmit(const coap::PeerId& to, ByteView message) override {
        outbox_.emplace_back(to, Bytes(message.begin(), message.end()));
    }
    bool produce(const UplinkMessage& message) override {
        if (!kafka_up) return false;
        ProducedRecord record{std::string(message.key), {}, message.opaque};
        EXPECT_TRUE(record.record.ParseFromArray(message.value.data(), static_cast<int>(message.value.size())));
        produced.push_back(std::move(record));
        return true;
    }
    bool send(internal::v1::RegistrationCommand&& command) override {
        if (!registry_up) return false;
        commands.push_back(std::move(command));
        return true;
    }
    void flush() override {}
    std::uint32_t node() const override { return 7; }

    std::shared_ptr<CollectedLines> lines_ = std::make_shared<CollectedLines>();
    telemetry::Logger log_;
    std::vector<std::pair<coap::PeerId, Bytes>> outbox_;
    std::uint16_t next_mid_ = 100;
    std::unique_ptr<ShardCore> core_;
};

}  // namespace lanyard::coap_ingress
