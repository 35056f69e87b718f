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
    bool produce(const UplinkMessage&) override { return true; }
    bool send(internal::v1::RegistrationCommand&& taken) override {
        command = std::move(taken);
        return true;
    }
    std::uint32_t node() const override { return 1; }

    internal::v1::RegistrationCommand command;
    std::size_t sent = 0;
};

TEST(UpdatePath, AllocatesNothingInTheSteadyState) {
    Config config;
    const telemetry::Logger log("test", {telemetry::Level::off, telemetry::LogFormat::text});
    ShardMetrics metrics;
    Quiet ports;
    Now now{SteadyTime{} + 1000s, 1'700'000'000'000};
    ShardCore core({config, SipKey{}, 0, 1, log, metrics, ports, ports, ports}, now);
    const coap::PeerId peer{Address::v4(0x7f000001, 1000), 0};
    std::array<std::uint8_t, 512> buffer{};

    coap::Options registering;
    registering.path("rd").content_format(40).query("ep=a").query("lt=3000").query("lwm2m=1.1");
    core.on_message(
        {peer,
         {},
         coap::encode(buffer, {Type::confirmable, Code::post, 1}, {}, registering, as_bytes("</1/0>,</3/0>"))},
        now);
    RegistryAnswer answer;
    answer.set_id(ports.command.id());
    answer.set_status(RegistryAnswer::STATUS_OK);
    answer.mutable_registration()->set_device_number(64);
    answer.mutable_registration()->set_generation(1);
    answer.mutable_registration()->set_epoch(1);
    answer.mutable_registration()->set_lifetime_s(3000);
    answer.mutable_registration()->set_pledge_s(0xffffffff);
    answer.mutable_registration()->set_tenant("default");
    answer.mutable_registration()->set_endpoint("a");
    core.on_registry_result(answer, now);
    ASSERT_EQ(core.registrations(), 1U);

    coap::Options updating;
    updating.path("rd/" + identity::format_registration_id(SipKey{}, {{64}, 1}));
    std::size_t before = 0;
    // The first thousands grow the table of remembered messages.
    for (std::uint16_t mid = 2; mid < 9000; ++mid) {
        if (mid == 8300) before = allocations.load();
        const auto update = coap::encode(buffer, {Type::confirmable, Code::post, mid}, {}, updating);
        core.on_message({peer, {}, update}, now);
    }
    EXPECT_EQ(allocations.load() - before, 0U);
    EXPECT_EQ(metrics.updates_from_memory.value(), 8998U);
    EXPECT_EQ(ports.sent, 8999U);
}

}  // namespace
}  // namespace lanyard::coap_ingress
