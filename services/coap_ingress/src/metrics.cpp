#include "metrics.hpp"

#include <functional>
#include <string_view>
#include <utility>

#include "coap/code.hpp"

namespace lanyard::coap_ingress {
namespace {

using telemetry::Labels;
using telemetry::MetricRegistry;
using Callbacks = std::vector<MetricRegistry::Callback>;

class Exposer {
  public:
    Exposer(MetricRegistry& registry, Callbacks& callbacks) : registry_(registry), callbacks_(callbacks) {}

    void counter(std::string_view name, std::string_view help, Labels labels, const telemetry::ShardCounter& counter) {
        callbacks_.push_back(registry_.counter_callback(name, help, labels, [&counter] { return counter.value(); }));
    }
    void gauge(std::string_view name, std::string_view help, const std::atomic<std::uint64_t>& value) {
        callbacks_.push_back(registry_.gauge_callback(
            name, help, {}, [&value] { return static_cast<double>(value.load(std::memory_order_relaxed)); }));
    }

  private:
    MetricRegistry& registry_;
    Callbacks& callbacks_;
};

void expose_messages(Exposer& exposer, const ShardMetrics& metrics) {
    static constexpr std::array<std::string_view, 2> kDirections{"in", "out"};
    static constexpr std::array<std::string_view, 4> kTypes{"con", "non", "ack", "rst"};
    static constexpr std::array<std::string_view, 6> kCodes{"empty", "request", "2.xx", "4.xx", "5.xx", "other"};
    for (std::size_t d = 0; d < kDirections.size(); ++d) {
        for (std::size_t t = 0; t < kTypes.size(); ++t) {
            for (std::size_t c = 0; c < kCodes.size(); ++c) {
                exposer.counter("lanyard_coap_messages_total", "CoAP messages by type and class of code.",
                                {{"direction", kDirections[d]}, {"type", kTypes[t]}, {"code", kCodes[c]}},
                                metrics.messages[d][t][c]);
            }
        }
    }
}

void expose_refusals(Exposer& exposer, const ShardMetrics& metrics) {
    static constexpr std::array<std::uint8_t, 13> kCodes{0x80, 0x82, 0x83, 0x84, 0x85, 0x88, 0x89,
                                                         0x8c, 0x8d, 0x8f, 0xa0, 0xa3, 0xa5};
    for (const std::uint8_t code : kCodes) {
        exposer.counter("lanyard_coap_requests_refused_total", "Requests of devices answered with an error.",
                        {{"code", coap::to_string(static_cast<coap::Code>(code))}}, metrics.refused[code]);
    }
}

template <std::size_t N>
void expose_group(Exposer& exposer, std::string_view name, std::string_view help, std::string_view label,
                  const std::array<std::string_view, N>& values, const std::array<telemetry::ShardCounter, N>& cells) {
    for (std::size_t i = 0; i < N; ++i) exposer.counter(name, help, {{label, values[i]}}, cells[i]);
}

void expose_registrations(Exposer& exposer, const ShardMetrics& metrics) {
    exposer.gauge("lanyard_ingress_sessions", "Registrations whose session this process owns.", metrics.registrations);
    exposer.counter("lanyard_ingress_registers_total", "Registers by what admission made of them.",
                    {{"admission", "admitted"}}, metrics.registers_admitted);
    exposer.counter("lanyard_ingress_registers_total", "Registers by what admission made of them.",
                    {{"admission", "deferred"}}, metrics.registers_deferred);
    exposer.gauge("lanyard_ingress_registers_pending", "Registers that await the registry.", metrics.registers_pending);
    exposer.gauge("lanyard_ingress_registers_window", "Registers that may await the registry now.",
                  metrics.register_window);
    exposer.counter("lanyard_registration_updates_total", "Updates acknowledged.", {{"source", "memory"}},
                    metrics.updates_from_memory);
    exposer.counter("lanyard_registration_updates_total", "Updates acknowledged.", {{"source", "registry"}},
                    metrics.updates_to_registry);
    exposer.counter("lanyard_registration_rebinds_total", "Registrations that moved to a new address.", {},
                    metrics.rebinds);
    exposer.counter("lanyard_registration_adoptions_total", "Registrations taken over from another owner.", {},
                    metrics.adoptions);
    exposer.counter("lanyard_registration_fenced_total", "Registrations that another owner took.", {}, metrics.fenced);
    exposer.counter("lanyard_ingress_sessions_expired_total", "Sessions ended here because the lifetime passed.", {},
                    metrics.expired);
}

void expose_endpoint(Exposer& exposer, const ShardMetrics& metrics) {
    exposer.counter("lanyard_coap_deduplicated_total", "Messages seen before.", {}, metrics.deduplicated);
    exposer.counter("lanyard_coap_retransmissions_total", "Messages sent again.", {}, metrics.retransmissions);
    exposer.counter("lanyard_coap_transmit_timeouts_total", "Confirmable messages never acknowledged.", {},
                    metrics.transmit_timeouts);
    exposer.counter("lanyard_coap_dedup_evicted_total", "Messages forgotten early because the table was full.", {},
                    metrics.dedup_evicted);
    exposer.counter("lanyard_coap_replays_lost_total", "Repeated messages whose answer was no longer kept.", {},
                    metrics.replays_lost);
    exposer.counter("lanyard_coap_bad_options_total", "Requests with a critical option that is not understood.", {},
                    metrics.bad_options);
    exposer.counter("lanyard_coap_peers_refused_total", "Messages dropped because there are too many peers.", {},
                    metrics.peers_refused);
    expose_group<kBlockResults>(exposer, "lanyard_coap_block_transfers_total", "Bodies that devices sent in blocks.",
                                "result", {"completed", "incomplete", "too_large", "abandoned"},
                                metrics.block_transfers);
}

void expose_durations(MetricRegistry& registry, ShardMetrics& metrics) {
    const auto buckets = telemetry::latency_buckets();
    metrics.ingest_latency =
        &registry.histogram("lanyard_ingest_latency_seconds",
                            "From the arrival of a notification or Send to Kafka's acknowledgement.", buckets);
    metrics.register_duration = &registry.histogram("lanyard_register_duration_seconds",
                                                    "From a Register to what the registry made of it.", buckets);
    static constexpr std::array<std::string_view, 8> kMethods{"",       "get",   "post",  "put",
                                                              "delete", "fetch", "patch", "ipatch"};
    for (std::size_t i = 1; i < kMethods.size(); ++i) {
        metrics.exchange_duration[i] =
            &registry.histogram("lanyard_coap_exchange_duration_seconds",
                                "From a request for a device, its wait for earlier ones included, to the answer.",
                                buckets, {{"method", kMethods[i]}});
    }
}

}  // namespace

void ShardMetrics::copy_endpoint(const coap::Stats& now, coap::Stats& last) {
    deduplicated.add(now.duplicates - last.duplicates);
    retransmissions.add(now.retransmissions - last.retransmissions);
    transmit_timeouts.add(now.transmit_timeouts - last.transmit_timeouts);
    dedup_evicted.add(now.dedup_evicted - last.dedup_evicted);
    replays_lost.add(now.replays_lost - last.replays_lost);
    bad_options.add(now.bad_options - last.bad_options);
    peers_refused.add(now.peers_refused - last.peers_refused);
    block_transfers[0].add(now.block1_completed - last.block1_completed);
    block_transfers[1].add(now.block1_gaps - last.block1_gaps);
    block_transfers[2].add(now.block1_too_large - last.block1_too_large);
    block_transfers[3].add(now.block1_expired - last.block1_expired);
    for (std::size_t i = 1; i < now.malformed.size(); ++i) {
        dropped[static_cast<std::size_t>(DropReason::malformed)].add(now.malformed[i] - last.malformed[i]);
    }
    last = now;
}

Callbacks expose(MetricRegistry& registry, ShardMetrics& metrics) {
    Callbacks callbacks;
    Exposer exposer(registry, callbacks);
    expose_messages(exposer, metrics);
    expose_refusals(exposer, metrics);
    expose_registrations(exposer, metrics);
    expose_group<kDropReasons>(exposer, "lanyard_coap_datagrams_dropped_total", "Datagrams dropped, in or out.",
                               "reason", {"malformed", "truncated", "session", "send_queue_full"}, metrics.dropped);
    expose_group<kNotifyResults>(
        exposer, "lanyard_ingress_notifications_total", "Notifications by what they were answered.", "result",
        {"delivered", "failed", "unknown_token", "deferred", "incomplete"}, metrics.notifications);
    expose_group<2>(exposer, "lanyard_ingress_sends_total", "LwM2M Send messages by what they were answered.", "result",
                    {"delivered", "failed"}, metrics.sends);
    expose_group<kOutcomes>(exposer, "lanyard_downlink_requests_total", "Requests to devices.", "outcome",
                            {"unspecified", "answered", "not_owner", "unknown_device", "offline", "sleeping",
                             "queue_full", "timeout", "reset", "unavailable", "invalid", "overloaded"},
                            metrics.downlinks);
    expose_endpoint(exposer, metrics);
    exposer.gauge("lanyard_uplink_pending", "Messages that await Kafka's acknowledgement.", metrics.uplink_pending);
    expose_durations(registry, metrics);
    return callbacks;
}

}  // namespace lanyard::coap_ingress
