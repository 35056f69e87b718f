#include <atomic>
#include <cstdlib>
#include <new>

#include "harness.hpp"

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

// Counts what the whole test program allocates.
void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace lanyard::coap_ingress {
namespace {

using coap::Code;
using coap::Type;

// Answers fall away, so that the test itself allocates nothing.
class Quiet final : public Transmitter, public UplinkSink, public RegistryPort {
  public:
    void transmit(const coap::PeerId&, ByteView) override { ++sent; }
    bool produce(const UplinkMessage& message) override {
        opaque = message.opaque;
        ++produced;
        return true;
    }
    bool send(internal::v1::RegistrationCommand&& taken) override {
        command = std::move(taken);
        return true;
    }
    void flush() override {}
    std::uint32_t node() const override { return 1; }

    internal::v1::RegistrationCommand command;
    std::uint64_t opaque = 0;
    std::size_t produced = 0;
    std::size_t sent = 0;
};

// One registered device, with names longer than a std::string holds in place.
class HotPath : public ::testing::Test {
  protected:
    void SetUp() override {
        config_.listeners[0].tenant = "tenant-with-a-long-name";
        coap::Options options;
        options.path("rd").content_format(40).query("ep=urn:dev:os:0023C7-000001").query("lt=3000").query("lwm2m=1.1");
        receive(Type::confirmable, Code::post, 1, options, {}, "</1/0>,</3/0>");
        RegistryAnswer answer;
        answer.set_id(ports_.command.id());
        answer.set_status(RegistryAnswer::STATUS_OK);
        auto& owned = *answer.mutable_registration();
        owned.set_device_number(64);
        owned.set_generation(1);
        owned.set_epoch(1);
        owned.set_lifetime_s(3000);
        owned.set_pledge_s(0xffffffff);
        owned.set_tenant(config_.listeners[0].tenant);
        owned.set_endpoint("urn:dev:os:0023C7-000001");
        owned.set_root_path("a/long/alternate/path");
        core_.on_registry_result(answer, now_);
        ASSERT_EQ(core_.registrations(), 1U);
    }
    void receive(Type type, Code code, std::uint16_t mid, const coap::Options& options, const coap::Token& token = {},
                 std::string_view payload = {}) {
        core_.on_message({peer_, {}, coap::encode(buffer_, {type, code, mid}, token, options, as_bytes(payload))},
                         now_);
    }

    Config config_;
    const telemetry::Logger log_{"test", {telemetry::Level::off, telemetry::LogFormat::text}};
    ShardMetrics metrics_;
    Quiet ports_;
    Now now_{SteadyTime{} + 1000s, 1'700'000'000'000};
    ShardCore core_{{config_, SipKey{}, 0, 1, log_, metrics_, ports_, ports_, ports_}, now_};
    const coap::PeerId peer_{Address{{0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 5683}, 0};
    std::array<std::uint8_t, 512> buffer_{};
};

// The first thousands of messages grow the table of those that are remembered.
constexpr std::uint16_t kMessages = 9000;
constexpr std::uint16_t kSteady = 8300;

TEST_F(HotPath, AnUpdateAllocatesNothing) {
    coap::Options options;
    options.path("rd/" + identity::format_registration_id(SipKey{}, {{64}, 1}));
    std::size_t before = 0;
    for (std::uint16_t mid = 2; mid < kMessages; ++mid) {
        if (mid == kSteady) before = allocations.load();
        receive(Type::confirmable, Code::post, mid, options);
    }
    EXPECT_EQ(allocations.load() - before, 0U);
    EXPECT_EQ(metrics_.updates_from_memory.value(), 8998U);
    EXPECT_EQ(ports_.sent, 8999U);
}

// Up to the producer: librdkafka copies each record, and allocates a message for it.
TEST_F(HotPath, ANotificationAllocatesNothing) {
    const coap::Token token(identity::make_observation_token(SipKey{}, {64}, 5, 1));
    const std::string payload(100, 'x');
    std::size_t before = 0;
    for (std::uint16_t mid = 2; mid < kMessages; ++mid) {
        coap::Options options;
        options.observe(mid).content_format(112);
        if (mid == kSteady) before = allocations.load();
        receive(Type::confirmable, Code::content, mid, options, token, payload);
        core_.on_delivery(ports_.opaque, true, now_);
    }
    EXPECT_EQ(allocations.load() - before, 0U);
    EXPECT_EQ(ports_.produced, 8998U);
    EXPECT_EQ(ports_.sent, 8999U) << "each was acknowledged";
}

}  // namespace
}  // namespace lanyard::coap_ingress
