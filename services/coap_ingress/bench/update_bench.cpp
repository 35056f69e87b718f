#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "coap/message.hpp"
#include "identity/observation_token.hpp"
#include "identity/registration_id.hpp"
#include "shard_core.hpp"

// What a shard does for one datagram between the system calls: Updates and notifications of a settled fleet.
namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

// A shard with devices, and ports that swallow everything.
class Fleet final : private Transmitter, private UplinkSink, private RegistryPort {
  public:
    explicit Fleet(std::uint32_t devices) : log_("bench", {telemetry::Level::off, telemetry::LogFormat::text}) {
        config_.registry.pending_max = 1 << 20;
        now_.steady = SteadyTime{} + 1000s;
        now_.wall_ms = 1'700'000'000'000;
        core_ =
            std::make_unique<ShardCore>(ShardSetup{config_, key_, 0, 42, log_, metrics_, *this, *this, *this}, now_);
        for (std::uint32_t i = 0; i < devices; ++i) add(i);
    }

    void update(std::uint32_t device) { hand_in(device, updates_[device]); }
    void notify(std::uint32_t device) {
        hand_in(device, notifications_[device]);
        core_->on_delivery(produced_, true, now_);
    }
    // Datagrams come out of a system call in the cache; here they have to be called for.
    void prefetch(std::uint32_t device) const {
        __builtin_prefetch(&updates_[device], 1);
        __builtin_prefetch(&notifications_[device], 1);
    }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

  private:
    void add(std::uint32_t i) {
        coap::Options options;
        options.path("rd").content_format(40).query("ep=urn:dev:os:" + std::to_string(1000000 + i));
        options.query("lt=3600").query("lwm2m=1.1");
        receive(i, encode(coap::Code::post, options, "</1/0>,</3/0>,</3303/0>", {}));
        internal::v1::RegistrationResult result;
        result.set_id(command_.id());
        result.set_status(internal::v1::RegistrationResult::STATUS_OK);
        auto& owned = *result.mutable_registration();
        owned.set_device_number(64 + i);
        owned.set_generation(1);
        owned.set_epoch(1);
        owned.set_lifetime_s(3600);
        owned.set_pledge_s(static_cast<std::uint32_t>(now_.wall_ms / 1000 + 2'000'000));
        owned.set_tenant("default");
        owned.set_endpoint(command_.register_().endpoint());
        owned.set_lwm2m_version("1.1");
        core_->on_registry_result(result, now_);

        coap::Options update_options;
        update_options.path("rd/" + identity::format_registration_id(key_, {{64 + i}, 1}));
        const std::uint32_t label = i;
        const ByteView token(reinterpret_cast<const std::uint8_t*>(&label), 4);
        updates_.push_back(keep(encode(coap::Code::post, update_options, {}, token)));
        coap::Options notify_options;
        notify_options.observe(5).content_format(0);
        const auto observation = identity::make_observation_token(key_, {64 + i}, 5, 1);
        notifications_.push_back(keep(encode(coap::Code::content, notify_options, "21.5", observation)));
    }
    // One datagram on a cache line of its own.
    struct alignas(64) Datagram {
        std::array<std::uint8_t, 62> bytes{};
        std::uint8_t size = 0;
    };
    static Datagram keep(const Bytes& bytes) {
        Datagram datagram;
        datagram.size = static_cast<std::uint8_t>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), datagram.bytes.begin());
        return datagram;
    }
    static Bytes encode(coap::Code code, const coap::Options& options, std::string_view payload, ByteView token) {
        Bytes buffer(1024);
        const auto message =
            coap::encode(buffer, {coap::Type::confirmable, code, 1}, coap::Token(token), options, as_bytes(payload));
        buffer.resize(message.size());
        return buffer;
    }
    void hand_in(std::uint32_t device, Datagram& datagram) {
        if (++datagram.bytes[3] == 0) ++datagram.bytes[2];  // the message id
        receive(device, ByteView(datagram.bytes.data(), datagram.size));
    }
    void receive(std::uint32_t device, ByteView datagram) {
        now_.steady += 5us;
        core_->on_message({{Address::v4(0x0a000000 + device, 5683), 0}, {}, datagram}, now_);
    }

    void transmit(const coap::PeerId& peer, ByteView message) override {
        benchmark::DoNotOptimize(peer);
        benchmark::DoNotOptimize(message.data());
        ++sent_;
    }
    bool produce(const UplinkMessage& message) override {
        produced_ = message.opaque;
        return true;
    }
    bool send(internal::v1::RegistrationCommand&& command) override {
        command_ = std::move(command);
        return true;
    }
    void flush() override {}
    std::uint32_t node() const override { return 1; }

    Config config_;
    SipKey key_{};
    telemetry::Logger log_;
    ShardMetrics metrics_;
    Now now_;
    std::unique_ptr<ShardCore> core_;
    internal::v1::RegistrationCommand command_;
    std::vector<Datagram> updates_;
    std::vector<Datagram> notifications_;
    std::uint64_t produced_ = 0;
    std::uint64_t sent_ = 0;
};

void run(benchmark::State& state, void (Fleet::*act)(std::uint32_t)) {
    const auto devices = static_cast<std::uint32_t>(state.range(0));
    Fleet fleet(devices);
    // Every device, in no order that a cache would know.
    std::array<std::uint32_t, 16> ahead{};
    std::uint32_t random = 1;
    std::size_t at = 0;
    for (auto _ : state) {
        random = random * 1664525U + 1013904223U;
        const std::uint32_t device = ahead[at];
        ahead[at] = (random >> 8) % devices;
        fleet.prefetch(ahead[at]);
        at = (at + 1) % ahead.size();
        (fleet.*act)(device);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
    state.counters["answers"] = static_cast<double>(fleet.sent());
}

void update_path(benchmark::State& state) {
    run(state, &Fleet::update);
}
void notify_path(benchmark::State& state) {
    run(state, &Fleet::notify);
}
BENCHMARK(update_path)->Arg(1000)->Arg(100000);
BENCHMARK(notify_path)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace lanyard::coap_ingress
