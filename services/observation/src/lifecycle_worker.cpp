#include "lifecycle_worker.hpp"

#include <utility>

#include "client_config.hpp"
#include "runtime/clock.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 500;
constexpr Duration kIdleWait = 100ms;

}  // namespace

LifecycleWorker::LifecycleWorker(const Config& config, Metrics& metrics, const telemetry::Logger& log, Handler handler)
    : config_(config),
      metrics_(metrics),
      log_(log),
      handler_(std::move(handler)),
      partitions_(config.kafka.lifecycle_topic),
      done_(std::make_shared<TicketBox>(config.reconcile.window + 2 * kBatch)) {}

LifecycleWorker::~LifecycleWorker() {
    (void)stop(runtime::Deadline::in(Duration::zero()));
}

Result<void> LifecycleWorker::start() {
    auto created = kafka::Consumer::create(group_config(config_, "lifecycle"), *this);
    if (!created) return created.error();
    consumer_ = std::move(*created);
    thread_ = runtime::Thread("obs-lifecycle", [this] { run(); });
    return {};
}

bool LifecycleWorker::stop(runtime::Deadline deadline) {
    if (!thread_.joinable()) return true;
    stopping_ = true;
    done_->wakeup.notify();
    return thread_.join(deadline);
}

void LifecycleWorker::run() {
    runtime::Poller poller;
    poller.add(consumer_->event_fd(), 0);
    poller.add(done_->wakeup.fd(), 1);
    runtime::Poller completions;
    completions.add(done_->wakeup.fd(), 1);
    bool subscribed = false;
    while (!stopping_) {
        if (!subscribed && begun_) {
            const std::string topics[] = {config_.kafka.lifecycle_topic};
            subscribed = consumer_->subscribe(topics).has_value();
        }
        const bool full = partitions_.open() >= config_.reconcile.window;
        const Duration wait = done_->tickets.prepare_to_sleep() ? kIdleWait : Duration::zero();
        (void)(full ? completions : poller).wait(wait);
        done_->wakeup.clear();
        take_done();
        if (subscribed && !full) read();
        const SteadyTime now = runtime::steady_now();
        if (now < next_commit_) continue;
        next_commit_ = now + config_.kafka.commit_interval;
        if (const auto offsets = partitions_.to_commit(); !offsets.empty() && !consumer_->commit_async(offsets)) {
            partitions_.commit_failed();
        }
    }
    take_done();
    consumer_->close();
}

void LifecycleWorker::take_done() {
    done_->tickets.drain(taken_);
    for (const Partitions::Ticket ticket : taken_) partitions_.done(ticket);
    taken_.clear();
}

void LifecycleWorker::read() {
    consumer_->poll(batch_, kBatch, 0ms);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        if (partitions_.has(batch_[i].partition())) process(batch_[i]);
    }
    batch_.clear();
}

void LifecycleWorker::process(const kafka::MessageView& message) {
    const Partitions::Ticket ticket = partitions_.take(message.partition(), message.offset());
    auto event = parse_lifecycle(message.value());
    if (!event) {
        metrics_.lifecycle_event("malformed");
        if (auto suppressed = log_limit_.admit("malformed", runtime::steady_now())) {
            log_.warn("lifecycle event cannot be read and is passed over", {{"detail", event.error().message},
                                                                            {"partition", message.partition()},
                                                                            {"offset", message.offset()},
                                                                            {"suppressed", *suppressed}});
        }
        partitions_.done(ticket);
        return;
    }
    metrics_.lifecycle_event(event->event);
    handler_(std::move(*event), [done = done_, ticket] {
        (void)done->tickets.push(Partitions::Ticket(ticket));  // has room for the whole window
    });
}

void LifecycleWorker::on_assigned(std::span<const kafka::TopicOffset> partitions) {
    partitions_.assign(partitions);
    log_.info("lifecycle partitions assigned", {{"count", partitions.size()}});
}

void LifecycleWorker::on_revoked(std::span<const kafka::TopicOffset> partitions) {
    take_done();
    if (const auto offsets = partitions_.to_commit(); !offsets.empty() && !consumer_->commit(offsets)) {
        partitions_.commit_failed();
    }
    on_lost(partitions);
}

void LifecycleWorker::on_lost(std::span<const kafka::TopicOffset> partitions) {
    partitions_.remove(partitions);
    log_.info("lifecycle partitions given up", {{"count", partitions.size()}});
}

void LifecycleWorker::on_committed(std::span<const kafka::TopicOffset>, const Result<void>& result) {
    if (!result) partitions_.commit_failed();
}

void LifecycleWorker::on_error(const Error& error, const kafka::TopicOffset*) {
    if (auto suppressed = log_limit_.admit("consumer", runtime::steady_now())) {
        log_.warn("trouble with reading lifecycle events", {{"error", error.message}, {"suppressed", *suppressed}});
    }
}

}  // namespace lanyard::observation
