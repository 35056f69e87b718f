#include <functional>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "device/client.hpp"
#include "identity/observation_token.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "lwm2m/path.hpp"
#include "shard_core.hpp"

// A whole shard and a whole device with a network between them that loses 30 % of the datagrams in each direction,
// repeats others and reorders all, in virtual time. Everything has to be completed, by the means of CoAP and by asking
// again where an exchange has failed for good.
namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;
using device::ClientRequest;
using lwm2m::Path;
using Command = internal::v1::RegistrationCommand;
using DownlinkOutcome = internal::v1::DownlinkResult;

constexpr std::uint32_t kDevice = 64;
constexpr std::uint16_t kSmallSpec = 5;
constexpr std::uint16_t kGreatSpec = 6;
constexpr double kLoss = 0.3;
constexpr double kRepetition = 0.2;
constexpr double kDelayMaxMs = 1500;
const Path kSmall{3303, 0, 5700};
const Path kGreat{16, 0, 0, 0};

device::ObjectTree make_tree() {
    device::ObjectTree tree;
    tree.add(Path{1, 0, 1}, std::int64_t{300}, device::ObjectTree::Access::read_write);
    tree.add(kSmall, 0.0);
    tree.add(kGreat, std::string(1000, '-'), device::ObjectTree::Access::read_write);
    // A list of objects of many blocks.
    for (std::uint16_t i = 1; i < 150; ++i) tree.add(Path{3303, i, 5700}, 1.0);
    return tree;
}

device::ClientConfig client_config(std::uint64_t seed) {
    device::ClientConfig config;
    config.registration.endpoint = "lossy";
    config.registration.version = {1, 1};
    config.registration.lifetime_s = 86400;
    config.coap.seed = seed;
    config.coap.szx = 4;  // 256 bytes
    return config;
}

class LossyChain final : private Transmitter,
                         private UplinkSink,
                         private RegistryPort,
                         private device::ClientSink,
                         public DownlinkReply {
  public:
    explicit LossyChain(std::uint32_t seed)
        : random_(seed),
          log_("test", {telemetry::Level::off, telemetry::LogFormat::text}),
          client_(client_config(seed), make_tree(), *this, now_) {
        config_.listeners = {Listener{Address::v4(0x7f000001, 5683), "default"}};
        core_ = std::make_unique<ShardCore>(
            ShardSetup{config_, key_, 0, seed + 1ULL, log_, metrics_, *this, *this, *this}, now_);
    }

    // Lets time pass until it is true; false when it is not within hours.
    bool run_until(const std::function<bool()>& done) {
        const SteadyTime limit = now_.steady + 12h;
        while (!done() && now_.steady < limit) step();
        return done();
    }
    void run_for(Duration span) {
        const SteadyTime end = now_.steady + span;
        (void)run_until([this, end] { return now_.steady >= end; });
    }

    // Sends a request of the device until it is answered with `code`.
    bool complete(ClientRequest kind, coap::Code code, const std::function<bool()>& send) {
        answers_.erase(kind);
        (void)send();
        const bool answered = run_until([&] {
            const auto found = answers_.find(kind);
            if (found == answers_.end()) return false;
            if (found->second == code) return true;
            answers_.erase(found);
            ++repeated;
            (void)send();
            return false;
        });
        return answered;
    }
    bool register_device() {
        return complete(ClientRequest::register_, coap::Code::created, [this] { return client_.send_register(now_); });
    }
    bool update() {
        return complete(ClientRequest::update, coap::Code::changed, [this] { return client_.send_update(now_); });
    }
    bool send_data(const lwm2m::Record& record) {
        return complete(ClientRequest::send, coap::Code::changed,
                        [this, &record] { return client_.send_data(std::span(&record, 1), now_); });
    }

    // Asks the device until it answers; gives the answer.
    DownlinkOutcome ask(internal::v1::CoapRequest request) {
        for (int tries = 0; tries < 100; ++tries) {
            DownlinkCall call{{}, std::shared_ptr<DownlinkReply>(this, [](DownlinkReply*) {}), now_.steady};
            call.request.set_id(++asked_);
            call.request.set_device_number(kDevice);
            call.request.set_timeout_ms(300'000);
            *call.request.mutable_request() = request;
            EXPECT_TRUE(core_->on_downlink(call, now_));
            EXPECT_TRUE(run_until([this] { return replies_.contains(asked_); }));
            const DownlinkOutcome& reply = replies_[asked_];
            if (reply.outcome() == DownlinkOutcome::OUTCOME_ANSWERED) return reply;
            ++repeated;
        }
        return {};
    }
    static internal::v1::CoapRequest request(coap::Code method, const Path& path) {
        internal::v1::CoapRequest out;
        out.set_method(static_cast<std::uint32_t>(method));
        out.set_path(path.to_string());
        return out;
    }
    void observe(const Path& path, std::uint16_t spec) {
        auto wanted = request(coap::Code::get, path);
        wanted.set_observe(0);
        wanted.set_accept(0);
        const auto token = identity::make_observation_token(key_, {kDevice}, spec, generation_);
        wanted.set_token(token.data(), token.size());
        const DownlinkOutcome reply = ask(wanted);
        EXPECT_EQ(reply.coap_code(), 0x45U);
        EXPECT_TRUE(reply.has_observe());
    }

    // Has the device notify values made by `value` until so many were acknowledged; observes again where that is lost.
    void notify(const Path& path, std::uint16_t spec, std::size_t count,
                const std::function<lwm2m::Value(std::size_t)>& value) {
        std::size_t acknowledged = 0;
        for (std::size_t n = 1; acknowledged < count && n < 50 * count; ++n) {
            if (client_.observations() == 0) observe(path, spec);
            settled_.reset();
            client_.set(path, value(n), now_);
            ASSERT_TRUE(run_until([this] { return settled_.has_value() || client_.observations() == 0; }));
            if (settled_.value_or(false)) {
                ++acknowledged;
                acknowledged_.push_back(value(n));
            } else {
                ++repeated;
            }
        }
        EXPECT_EQ(acknowledged, count);
    }
    void end_observations(const Path& path) {
        auto cancel = request(coap::Code::get, path);
        cancel.set_observe(1);
        cancel.set_accept(0);
        const auto spec = path == kSmall ? kSmallSpec : kGreatSpec;
        const auto token = identity::make_observation_token(key_, {kDevice}, spec, generation_);
        cancel.set_token(token.data(), token.size());
        (void)ask(cancel);
        EXPECT_EQ(client_.observations(), 0U);
    }

    [[nodiscard]] device::Client& client() { return client_; }
    [[nodiscard]] const std::vector<lwm2m::Value>& acknowledged() const { return acknowledged_; }
    // Payload by event id; fails when two records of one event differ.
    [[nodiscard]] const std::map<std::string, std::string>& stored() const { return stored_; }
    [[nodiscard]] std::size_t records() const { return records_; }
    [[nodiscard]] std::uint32_t generation() const { return generation_; }
    [[nodiscard]] const ShardCore& core() const { return *core_; }

    std::size_t repeated = 0;  // exchanges that had to be begun again

  private:
    double chance() { return std::uniform_real_distribution<>(0, 1)(random_); }
    void at(Duration delay, std::function<void()> action) { events_.emplace(now_.steady + delay, std::move(action)); }

    void step() {
        SteadyTime next = core_->next_timeout();
        if (const auto timeout = client_.next_timeout()) next = std::min(next, *timeout);
        if (!events_.empty()) next = std::min(next, events_.begin()->first);
        next = std::max(next, now_.steady);
        now_.wall_ms += std::chrono::duration_cast<std::chrono::milliseconds>(next - now_.steady).count();
        now_.steady = next;
        while (!events_.empty() && events_.begin()->first <= now_.steady) {
            const auto action = std::move(events_.begin()->second);
            events_.erase(events_.begin());
            action();
        }
        client_.on_timer(now_);
        core_->on_timer(now_);
    }

    // The network.
    void carry(ByteView datagram, const std::function<void(const Bytes&)>& arrive) {
        if (chance() < kLoss) return;
        const int copies = chance() < kRepetition ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            at(std::chrono::milliseconds(static_cast<int>(chance() * kDelayMaxMs)),
               [arrive, bytes = Bytes(datagram.begin(), datagram.end())] { arrive(bytes); });
        }
    }
    void transmit(const coap::PeerId&, ByteView message) override {
        carry(message, [this](const Bytes& bytes) { client_.on_datagram(bytes, now_); });
    }
    void transmit(ByteView datagram) override {
        carry(datagram, [this](const Bytes& bytes) {
            core_->on_message({coap::PeerId{Address::v4(0x7f000002, 40000), 0}, {}, bytes}, now_);
        });
    }

    // Kafka: every record is stored after a while.
    bool produce(const UplinkMessage& message) override {
        events::v1::UplinkRecord record;
        EXPECT_TRUE(record.ParseFromArray(message.value.data(), static_cast<int>(message.value.size())));
        ++records_;
        const auto [found, added] = stored_.emplace(record.event_id(), record.payload());
        EXPECT_EQ(found->second, record.payload()) << "one event, two contents";
        at(20ms, [this, opaque = message.opaque] { core_->on_delivery(opaque, true, now_); });
        return true;
    }

    // The registry: one device.
    bool send(Command&& command) override {
        internal::v1::RegistrationResult result;
        result.set_id(command.id());
        result.set_status(internal::v1::RegistrationResult::STATUS_OK);
        if (command.has_register_()) ++generation_;
        if (command.has_register_() || command.has_update()) {
            auto& owned = *result.mutable_registration();
            owned.set_device_number(kDevice);
            owned.set_generation(generation_);
            owned.set_epoch(1);
            owned.set_lifetime_s(86400);
            owned.set_pledge_s(static_cast<std::uint32_t>(now_.wall_ms / 1000) + 2 * 86400 + 60);
            owned.set_tenant("default");
            owned.set_endpoint("lossy");
            owned.set_lwm2m_version("1.1");
        }
        at(50ms, [this, result] { core_->on_registry_result(result, now_); });
        return true;
    }
    void flush() override {}
    [[nodiscard]] std::uint32_t node() const override { return 1; }

    void on_answer(ClientRequest kind, std::optional<coap::Code> code) override {
        answers_[kind] = code.value_or(coap::Code::empty);
    }
    void on_notification(const Path&, bool acknowledged) override { settled_ = acknowledged; }
    void deliver(DownlinkOutcome&& result) override { replies_[result.id()] = std::move(result); }

    std::mt19937 random_;
    Now now_{SteadyTime{} + 1000s, 1'700'000'000'000};
    Config config_;
    SipKey key_{1, 2, 3};
    ShardMetrics metrics_;
    telemetry::Logger log_;
    std::multimap<SteadyTime, std::function<void()>> events_;
    std::map<ClientRequest, coap::Code> answers_;
    std::optional<bool> settled_;
    std::map<std::uint64_t, DownlinkOutcome> replies_;
    std::uint64_t asked_ = 0;
    std::uint32_t generation_ = 0;
    std::vector<lwm2m::Value> acknowledged_;
    std::map<std::string, std::string> stored_;
    std::size_t records_ = 0;
    device::Client client_;
    std::unique_ptr<ShardCore> core_;
};

// 1000 bytes that begin with a number.
std::string great_text(std::size_t n) {
    std::string text = std::to_string(n) + ":";
    while (text.size() < 1000) text += static_cast<char>('a' + (text.size() + n) % 26);
    return text;
}

std::string text_of(const lwm2m::Value& value) {
    if (const auto* number = std::get_if<double>(&value)) return std::to_string(static_cast<int>(*number));
    return std::get<std::string>(value);
}

class LossyNetwork : public testing::TestWithParam<std::uint32_t> {};

TEST_P(LossyNetwork, EverythingIsCompleted) {
    std::cout << "seed " << GetParam() << "\n";
    LossyChain chain(GetParam());
    ASSERT_TRUE(chain.register_device()) << "block-wise";
    chain.notify(kSmall, kSmallSpec, 30, [](std::size_t n) { return static_cast<double>(n); });
    chain.end_observations(kSmall);
    chain.notify(kGreat, kGreatSpec, 5, [](std::size_t n) { return great_text(n); });
    chain.end_observations(kGreat);
    ASSERT_TRUE(chain.update());

    for (std::size_t n = 101; n <= 105; ++n) {
        auto write = LossyChain::request(coap::Code::put, kGreat);
        write.set_content_format(0);
        write.set_payload(great_text(n));
        EXPECT_EQ(chain.ask(write).coap_code(), 0x44U);
        EXPECT_EQ(text_of(*chain.client().tree().find(kGreat)), great_text(n));
        auto read = LossyChain::request(coap::Code::get, kGreat);
        read.set_accept(0);
        const DownlinkOutcome answer = chain.ask(read);
        EXPECT_EQ(answer.coap_code(), 0x45U);
        EXPECT_EQ(answer.payload(), great_text(n));
    }
    const std::size_t before = chain.stored().size();
    ASSERT_TRUE(chain.send_data({kGreat, great_text(201), std::nullopt})) << "block-wise";
    EXPECT_GT(chain.stored().size(), before);

    std::set<std::string> contents;
    for (const auto& [event, payload] : chain.stored()) contents.insert(payload);
    for (const lwm2m::Value& value : chain.acknowledged()) {
        EXPECT_TRUE(contents.contains(text_of(value))) << "acknowledged and not stored: " << text_of(value);
    }
    std::cout << chain.acknowledged().size() << " values acknowledged, " << chain.records() << " records of "
              << chain.stored().size() << " events, " << chain.repeated << " exchanges begun again\n";
    chain.run_for(10min);
    EXPECT_EQ(chain.core().registrations(), 1U);
    EXPECT_TRUE(chain.core().drained()) << "nothing is left behind";
}

INSTANTIATE_TEST_SUITE_P(Seeds, LossyNetwork, testing::Range(1U, 33U));

}  // namespace
}  // namespace lanyard::coap_ingress
