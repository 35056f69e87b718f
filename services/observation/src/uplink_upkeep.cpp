// What the uplink worker does by the clock: commits, latest values, lag, health.
#include <algorithm>

#include "runtime/clock.hpp"
#include "uplink_worker.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLagInterval = 15s;

}  // namespace

void UplinkWorker::periodic(SteadyTime now) {
    if (now >= next_commit_) {
        next_commit_ = now + config_.kafka.commit_interval;
        commit();
        report_health();
    }
    if (now >= next_latest_) {
        next_latest_ = now + config_.uplink.latest_interval;
        flush_latest(config_.uplink.latest_max);
    }
    if (now >= next_lag_) {
        next_lag_ = now + kLagInterval;
        measure_lag();
    }
}

void UplinkWorker::commit() {
    const auto offsets = partitions_.to_commit();
    if (offsets.empty()) return;
    if (auto sent = consumer_->commit_async(offsets); !sent) partitions_.commit_failed();
}

void UplinkWorker::flush_latest(std::size_t max) {
    using WriteState = LatestWrite::State;
    if (write_->state == WriteState::busy) return;
    if (write_->state == WriteState::idle) write_->updates = latest_.take(max);
    if (write_->updates.empty()) return;
    write_->state = WriteState::busy;
    // The callback may outlive this worker; the metrics belong to the service, which stops its store first.
    shared_.store.merge_latest(write_->updates, [write = write_, &metrics = shared_.metrics](Result<void> result) {
        if (result) {
            metrics.latest_written(write->updates.size());
            write->updates.clear();
        } else {
            metrics.latest_failed();
        }
        write->state = result ? WriteState::idle : WriteState::failed;
        write->changed.notify();
    });
}

void UplinkWorker::measure_lag() {
    shared_.metrics.observations(freshness_.size());
    if (!subscribed_ || !consumer_->available()) return;
    const auto ends = consumer_->end_offsets(config_.kafka.uplink_topic, 1s);
    if (!ends) return;
    const auto positions = partitions_.positions();
    std::int64_t lag = 0;
    for (const auto& end : *ends) {
        if (const auto at = positions.find(end.partition); at != positions.end()) {
            lag += std::max<std::int64_t>(0, end.offset - at->second);
        }
    }
    shared_.metrics.lag(config_.kafka.uplink_topic, lag);
}

void UplinkWorker::report_health() {
    shared_.metrics.in_flight(producer_->stats().queued);
    if (!begun_) return;
    if (!producer_->available() || !consumer_->available()) {
        // What gRPC asks for is still answered, and nothing would be better in another replica.
        shared_.kafka.degraded("no broker answers (" + producer_->unavailable_reason() + "); attempts go on");
    } else {
        shared_.kafka.ok();
    }
}

}  // namespace lanyard::observation
