#include "metrics.hpp"

#include <utility>

namespace lanyard::registry {

Metrics::Metrics(telemetry::MetricRegistry& registry)
    : registry_(registry),
      expired_(registry.counter("lanyard_registrations_expired_total", "Registrations ended because of silence.")),
      published_(registry.counter("lanyard_registry_events_published_total", "Lifecycle events stored by Kafka.")),
      failed_(registry.counter("lanyard_registry_publish_failures_total", "Batches of events that Kafka refused.")),
      unreadable_(registry.counter("lanyard_registry_events_unreadable_total",
                                   "Lifecycle events in Redis that could not be read and were left out.")),
      cut_(registry.counter("lanyard_registry_watch_cuts_total", "WatchDevices streams cut: read too slowly.")) {
    const char* registrations = "Devices in the partitions that this replica leads.";
    gauge("lanyard_registrations", registrations, 0, {{"state", "registered"}});
    gauge("lanyard_registrations", registrations, 1, {{"state", "offline"}});
    gauge("lanyard_registry_outbox_depth",
          "Elements of outboxes, events and a few more, that wait for Kafka in the partitions of this replica.", 2);
    gauge("lanyard_registry_leases", "Partitions that this replica leads.", 3);
    gauge("lanyard_registry_ingress_nodes", "Ingress processes connected to this replica.", 4);
    gauge("lanyard_registry_downlinks_in_flight", "Requests to devices that wait for their answer.", 5);
    gauge("lanyard_registry_watch_streams", "WatchDevices streams.", 6);
}

void Metrics::gauge(const char* name, const char* help, std::size_t index, telemetry::Labels labels) {
    callbacks_.push_back(registry_.gauge_callback(name, help, labels, [this, index] { return values_[index].load(); }));
}

void Metrics::count(Counters& counters, const char* name, const char* help, std::string_view operation,
                    std::string_view result) {
    const std::lock_guard lock(mutex_);
    auto& counter = counters[{std::string(operation), std::string(result)}];
    if (!counter) counter = &registry_.counter(name, help, {{"op", operation}, {"result", result}});
    counter->add();
}

void Metrics::registration_request(std::string_view operation, std::string_view result) {
    count(requests_, "lanyard_registration_requests_total", "Registration commands of ingress processes.", operation,
          result);
}

void Metrics::operation(std::string_view operation, const std::string& result, Duration took) {
    count(operations_, "lanyard_operations_total", "Downlink operations by what the device or platform said.",
          operation, result);
    registry_
        .histogram("lanyard_operation_duration_seconds", "From the call to the answer of the device or platform.",
                   telemetry::latency_buckets(), {{"op", operation}})
        .observe(std::chrono::duration<double>(took).count());
}

void Metrics::sampled(const Sample& s) {
    const double values[] = {s.registered,    s.unregistered, s.outbox_depth, s.leases,
                             s.ingress_nodes, s.downlinks,    s.watches};
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = values[i];
}

void Metrics::published(std::uint64_t total, std::uint64_t failures, std::uint64_t unreadable) {
    published_.add(total - std::exchange(last_published_, total));
    failed_.add(failures - std::exchange(last_failed_, failures));
    unreadable_.add(unreadable - std::exchange(last_unreadable_, unreadable));
}

}  // namespace lanyard::registry
