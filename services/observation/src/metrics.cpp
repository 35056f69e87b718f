#include "metrics.hpp"

namespace lanyard::observation {
namespace {

constexpr std::string_view kNotifications = "lanyard_notifications_total";
constexpr std::string_view kNotificationsHelp = "Notifications and Sends read from the uplink topic.";
constexpr std::string_view kProduced = "lanyard_observation_produced_total";
constexpr std::string_view kProducedHelp = "Records produced by the observation service, by what the broker said.";

}  // namespace

Metrics::Metrics(telemetry::MetricRegistry& r)
    : registry_(r),
      notifications_(r.counter(kNotifications, kNotificationsHelp, {{"origin", "notify"}})),
      sends_(r.counter(kNotifications, kNotificationsHelp, {{"origin", "send"}})),
      values_(r.counter("lanyard_telemetry_values_total", "Resource values produced to the telemetry topic.")),
      delivered_(r.counter(kProduced, kProducedHelp, {{"result", "delivered"}})),
      failed_(r.counter(kProduced, kProducedHelp, {{"result", "failed"}})),
      ended_(r.counter("lanyard_observations_ended_total", "Observations ended by an error notification.")),
      rewinds_(r.counter("lanyard_uplink_rewinds_total", "Times that uplink was read again after a failed delivery.")),
      latest_written_(r.counter("lanyard_latest_devices_written_total", "Devices whose latest values were written.")),
      latest_dropped_(r.counter("lanyard_latest_dropped_total", "Latest values dropped because the buffer was full.")),
      latest_failed_(r.counter("lanyard_latest_failures_total", "Failed writes of latest values; they are repeated.")),
      streams_cut_(r.counter("lanyard_value_streams_cut_total", "StreamValues calls cut because of a slow client.")),
      observations_(r.gauge("lanyard_observations", "Observations that this process has had notifications of.")),
      in_flight_(r.gauge("lanyard_uplink_in_flight_records", "Records produced and not yet acknowledged.")),
      reconciling_(r.gauge("lanyard_reconcile_devices", "Devices that are being worked on or wait for it.")),
      streams_(r.gauge("lanyard_value_streams", "StreamValues calls that are open.")) {}

telemetry::Counter& Metrics::labelled(std::string_view name, std::string_view help, std::string_view label,
                                      std::string_view value) {
    return registry_.counter(name, help, {{label, value}});
}

void Metrics::decode_failed(std::string_view format) {
    labelled("lanyard_decode_errors_total", "Uplink payloads that could not be decoded.", "format", format).add();
}

void Metrics::dead_lettered(std::string_view reason) {
    labelled("lanyard_kafka_dead_letter_total", "Records written to the dead-letter topic.", "reason", reason).add();
}

void Metrics::observe_request(std::string_view result) {
    labelled("lanyard_observation_requests_total", "Observe requests to devices, by outcome.", "result", result).add();
}

void Metrics::lifecycle_event(std::string_view event) {
    const std::lock_guard lock(lifecycle_mutex_);
    auto found = lifecycle_.find(event);
    if (found == lifecycle_.end() && lifecycle_.size() < kLifecycleEventsMax) {
        auto& counter = labelled("lanyard_lifecycle_events_total", "Lifecycle events read, by kind.", "event", event);
        found = lifecycle_.emplace(std::string(event), &counter).first;
    }
    if (found != lifecycle_.end()) found->second->add();
}

void Metrics::lag(std::string_view topic, std::int64_t records) {
    registry_
        .gauge("lanyard_kafka_consumer_lag", "Records behind the end of a topic, over the partitions read here.",
               {{"topic", topic}})
        .set(static_cast<double>(records));
}

}  // namespace lanyard::observation
