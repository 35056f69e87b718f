#include "uplink_worker.hpp"

#include <algorithm>
#include <utility>

#include "client_config.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "runtime/clock.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;
using events::v1::UplinkRecord;

constexpr std::size_t kReportBatch = 10000;
constexpr Duration kIdleWait = 100ms;
constexpr Duration kRevokeGrace = 5s;
// Ended observations that are on their way to the store; reading pauses above it.
constexpr std::size_t kKeepingMax = 4096;

std::chrono::milliseconds to_ms(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace

UplinkWorker::UplinkWorker(Shared shared, UplinkEvents events)
    : shared_(shared),
      events_(std::move(events)),
      config_(shared_.config),
      partitions_(config_.kafka.uplink_topic),
      freshness_(config_.uplink.tracked_max),
      latest_(config_.uplink.latest_max),
      emitter_(config_.format, *this),
      record_(std::make_shared<UplinkRecord>()),
      write_(std::make_shared<LatestWrite>()),
      kept_(std::make_shared<TicketBox>(kKeepingMax + config_.uplink.batch_max + config_.uplink.held_max)) {}

UplinkWorker::~UplinkWorker() {
    (void)stop(runtime::Deadline::in(Duration::zero()));
}

Result<void> UplinkWorker::start() {
    if (auto made = make_producer(); !made) return made;
    auto created = kafka::Consumer::create(group_config(config_, "uplink"), *this);
    if (!created) return created.error();
    consumer_ = std::move(*created);
    thread_ = runtime::Thread("obs-uplink", [this] { run(); });
    return {};
}

Result<void> UplinkWorker::make_producer() {
    kafka::ProducerConfig config;
    config.client = client_config(config_, "lanyard-observation");
    config.compression = config_.kafka.compression;
    config.linger = to_ms(config_.kafka.linger);
    config.delivery_timeout = to_ms(config_.kafka.delivery_timeout);
    config.metrics = &shared_.metrics.registry();
    auto created = kafka::Producer::create(config);
    if (!created) return created.error();
    producer_ = std::move(*created);
    auto telemetry = producer_->topic(config_.kafka.telemetry_topic);
    if (!telemetry) return telemetry.error();
    auto dead_letter = producer_->topic(config_.kafka.dead_letter_topic);
    if (!dead_letter) return dead_letter.error();
    telemetry_topic_ = *telemetry;
    dead_letter_topic_ = *dead_letter;
    return {};
}

bool UplinkWorker::submit(InitialValue value) {
    return !stopping_ && mailbox_.push(std::move(value));
}

bool UplinkWorker::stop(runtime::Deadline deadline) {
    if (!thread_.joinable()) return true;
    if (!stopping_) {
        stop_deadline_ = deadline;
        stopping_ = true;
        wakeup_.notify();
    }
    return thread_.join(deadline) && stopped_clean_;
}

void UplinkWorker::run() {
    runtime::Poller poller;
    poller.add(consumer_->event_fd(), 0);
    poller.add(wakeup_.fd(), 1);
    int producer_fd = producer_->event_fd();
    poller.add(producer_fd, 2);
    poller.add(kept_->wakeup.fd(), 3);
    while (!stopping_) {
        if (!subscribed_ && begun_) {
            const std::string topics[] = {config_.kafka.uplink_topic};
            subscribed_ = consumer_->subscribe(topics).has_value();
        }
        if (can_read()) {
            const bool idle = mailbox_.prepare_to_sleep() && kept_->tickets.prepare_to_sleep();
            (void)poller.wait(idle ? kIdleWait : Duration::zero());
        } else {
            producer_->poll(*this, kReportBatch, 20ms);
        }
        wakeup_.clear();
        kept_->wakeup.clear();
        take_kept();
        producer_->poll(*this, kReportBatch);
        take_initial();
        if (rewind_) {
            poller.remove(producer_fd);
            rewind();
            producer_fd = producer_->event_fd();
            poller.add(producer_fd, 2);
        }
        read();
        retry_held();
        periodic(runtime::steady_now());
    }
    finish();
}

bool UplinkWorker::can_read() const {
    return begun_ && !rewind_ && producer_->stats().queued < config_.uplink.in_flight_max &&
           held_.size() < config_.uplink.held_max && keeping_ < kKeepingMax && producer_->available();
}

void UplinkWorker::read() {
    if (subscribed_ && can_read()) read_batch(config_.uplink.batch_max, false);
}

void UplinkWorker::read_batch(std::size_t max, bool discard) {
    consumer_->poll(batch_, max, 0ms);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        const auto message = batch_[i];
        if (!partitions_.has(message.partition())) continue;
        if (discard || rewind_) {
            (void)partitions_.take(message.partition(), message.offset());  // stays open: is read again
        } else {
            process(message);
        }
    }
    batch_.clear();
}

void UplinkWorker::process(const kafka::MessageView& message) {
    const Partitions::Ticket ticket = partitions_.take(message.partition(), message.offset());
    const Origin origin{config_.kafka.uplink_topic, message.partition(), message.offset(),
                        message.timestamp_ms(),     message.key(),       message.value()};
    const ByteView bytes = message.value();
    if (!record_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        reject(nullptr, origin, {"INVALID_RECORD", "not an UplinkRecord"}, ticket);
    } else {
        shared_.metrics.uplink_received(record_->kind() == UplinkRecord::KIND_SEND);
        if (!process(*record_, origin, ticket)) {
            hold(*record_, origin, ticket);
            return;  // stays open until its spec is known
        }
    }
    partitions_.done(ticket);
}

bool UplinkWorker::process(const UplinkRecord& record, const Origin& origin, Partitions::Ticket ticket) {
    Decoded decoded = decode_uplink(record, shared_.specs);
    if (std::holds_alternative<UnknownSpec>(decoded)) return false;
    if (auto* why = std::get_if<Rejection>(&decoded)) {
        shared_.metrics.decode_failed(format_label(record));
        reject(&record, origin, *why, ticket);
        return true;
    }
    const DeviceNumber device{record.device_number()};
    const auto spec = static_cast<SpecId>(record.observation_spec());
    if (auto* ended = std::get_if<Ended>(&decoded)) {
        end(record, std::move(ended->reason), ticket);
        return true;
    }
    auto& records = std::get<lwm2m::Records>(decoded);
    const bool fresh =
        !record.has_observe_sequence() ||
        freshness_.observe(device, spec, record.generation(), record.observe_sequence(), record.received_ms());
    const auto emitted = emitter_.values(record, records, fresh, ticket);
    if (!emitted && emitted.error().code == Errc::too_large) {
        reject(&record, origin, {"VALUE_TOO_LARGE", emitted.error().message}, ticket);
    } else if (!emitted) {
        rewind_ = true;
    }
    shared_.metrics.values_produced(records.size());
    // What came late is history: it must not replace the newer value.
    if (fresh) store_values(record, records);
    return true;
}

void UplinkWorker::end(const UplinkRecord& record, std::string reason, Partitions::Ticket ticket) {
    const DeviceNumber device{record.device_number()};
    const auto spec = static_cast<SpecId>(record.observation_spec());
    shared_.metrics.observation_ended();
    freshness_.forget(device, spec);
    partitions_.add(ticket);
    ++keeping_;
    events_.ended({device, record.tenant(), record.endpoint(), spec, record.generation(), std::move(reason),
                   record.received_ms()},
                  [kept = kept_, ticket] { (void)kept->tickets.push(Partitions::Ticket(ticket)); });
}

void UplinkWorker::take_kept() {
    kept_->tickets.drain(kept_tickets_);
    for (const Partitions::Ticket ticket : kept_tickets_) partitions_.done(ticket);
    keeping_ -= kept_tickets_.size();
    kept_tickets_.clear();
}

void UplinkWorker::store_values(const UplinkRecord& record, lwm2m::Records& records) {
    const DeviceNumber device{record.device_number()};
    const bool send = record.kind() == UplinkRecord::KIND_SEND;
    bool kept = true;
    for (lwm2m::Record& r : records) {
        kept = latest_.put(device, LatestInput{r.path, std::move(r.value), r.time.value_or(record.received_ms()),
                                               record.received_ms(), send}) &&
               kept;
    }
    if (!send) {
        kept = latest_.put(device, LastNotify{static_cast<SpecId>(record.observation_spec()), record.generation(),
                                              record.observe_sequence(), record.received_ms()}) &&
               kept;
    }
    if (!kept) shared_.metrics.latest_dropped();
}

void UplinkWorker::reject(const UplinkRecord* record, const Origin& origin, const Rejection& why,
                          Partitions::Ticket ticket) {
    shared_.metrics.dead_lettered(why.code);
    if (auto suppressed = log_limit_.admit("dead-letter", runtime::steady_now())) {
        shared_.log.warn("uplink record goes to the dead-letter topic", {{"reason", why.code},
                                                                         {"detail", why.message},
                                                                         {"key", origin.key},
                                                                         {"partition", origin.partition},
                                                                         {"offset", origin.offset},
                                                                         {"suppressed", *suppressed}});
    }
    const std::string format =
        record != nullptr && record->has_content_format() ? std::to_string(record->content_format()) : std::string();
    const auto written = emitter_.dead_letter(
        origin, why, record != nullptr ? std::string_view(record->event_id()) : std::string_view(), format, ticket);
    if (!written) rewind_ = true;
}

Result<void> UplinkWorker::produce(Target target, const kafka::Record& record) {
    kafka::Record out = record;
    out.topic = target == Target::telemetry ? telemetry_topic_ : dead_letter_topic_;
    for (;;) {
        if (rewind_) return make_error(Errc::unavailable, "records are to be read again");
        auto produced = producer_->produce(out);
        if (produced) break;
        if (produced.error().code != Errc::resource_exhausted) return produced;
        // The queue is full. Reports come at latest after the delivery timeout, so this ends.
        producer_->poll(*this, kReportBatch, 100ms);
        if (stopping_ && stop_deadline_.expired()) return make_error(Errc::cancelled, "stopping");
    }
    if ((out.opaque & Partitions::kForeign) != 0) {
        ++initial_.at(out.opaque & ~Partitions::kForeign).pending;
    } else {
        partitions_.add(out.opaque);
    }
    return {};
}

void UplinkWorker::on_delivered(const kafka::Delivery& delivery) {
    shared_.metrics.produced(delivery.delivered);
    if ((delivery.opaque & Partitions::kForeign) != 0) {
        const std::uint64_t id = delivery.opaque & ~Partitions::kForeign;
        if (const auto found = initial_.find(id); found != initial_.end()) {
            found->second.failed = found->second.failed || !delivery.delivered;
            close_initial(id);
        }
    } else if (delivery.delivered) {
        partitions_.done(delivery.opaque);
    } else {
        rewind_ = true;
        if (auto suppressed = log_limit_.admit("delivery", runtime::steady_now())) {
            shared_.log.warn("telemetry was not acknowledged, its uplink will be read again",
                             {{"reason", delivery.reason}, {"suppressed", *suppressed}});
        }
    }
}

void UplinkWorker::hold(const UplinkRecord& record, const Origin& origin, Partitions::Ticket ticket) {
    Held held;
    held.record = std::make_shared<UplinkRecord>(record);
    held.bytes = to_string(origin.bytes);
    held.key = std::string(origin.key);
    held.partition = origin.partition;
    held.offset = origin.offset;
    held.timestamp_ms = origin.timestamp_ms;
    held.ticket = ticket;
    held.loads = shared_.specs.loads();
    held_.push_back(std::move(held));
    events_.specs_wanted();
}

// After a load of all specs that began after a record was held, its spec is known or was never given away.
void UplinkWorker::retry_held() {
    const std::uint64_t loads = shared_.specs.loads();
    if (held_.empty() || loads == held_loads_) return;
    held_loads_ = loads;
    std::deque<Held> again;
    again.swap(held_);
    for (Held& held : again) {
        const Origin origin{config_.kafka.uplink_topic, held.partition, held.offset,
                            held.timestamp_ms,          held.key,       as_bytes(held.bytes)};
        if (!process(*held.record, origin, held.ticket)) {
            if (loads < held.loads + 2) {
                held_.push_back(std::move(held));
                events_.specs_wanted();
                continue;
            }
            const auto number = std::to_string(held.record->observation_spec());
            reject(held.record.get(), origin,
                   {"UNKNOWN_SPEC", "observation number " + number + " was never given away"}, held.ticket);
        }
        partitions_.done(held.ticket);
    }
}

void UplinkWorker::take_initial() {
    mailbox_.drain(taken_);
    for (InitialValue& value : taken_) {
        const std::uint64_t id = next_initial_++;
        const Partitions::Ticket ticket = Partitions::kForeign | id;
        const UplinkRecord& record = *value.record;
        PendingInitial& pending = initial_.emplace(id, PendingInitial{std::move(value)}).first->second;
        const std::string key = record.tenant() + "/" + record.endpoint();
        const std::string bytes = record.SerializeAsString();
        const Origin origin{"observe-answer", 0, 0, record.received_ms(), key, as_bytes(bytes)};
        pending.failed = rewind_ || !process(record, origin, ticket) || rewind_;
        close_initial(id);
    }
    taken_.clear();
}

// One share of an initial value is done.
void UplinkWorker::close_initial(std::uint64_t id) {
    const auto found = initial_.find(id);
    if (--found->second.pending > 0) return;
    const auto done = std::move(found->second.value.done);
    const bool delivered = !found->second.failed;
    initial_.erase(found);
    if (done) done(delivered);
}

// Nothing that was taken counts any more: reads again from the oldest record that is not done.
void UplinkWorker::rewind() {
    shared_.metrics.rewound();
    producer_->purge();
    while (producer_->stats().queued > 0 && !stopping_) producer_->poll(*this, kReportBatch, 100ms);
    if (stopping_) return;
    for (auto& [id, pending] : initial_) pending.failed = true;
    if (producer_->fatal()) {
        if (auto made = make_producer(); !made) {
            shared_.log.error("Kafka producer cannot be made again", {{"error", made.error().message}});
        }
    }
    held_.clear();
    freshness_.clear();
    for (bool sought = false; !sought && !stopping_;) {
        report_health();
        producer_->poll(*this, kReportBatch, 200ms);
        if (!producer_->available()) continue;
        read_batch(config_.uplink.batch_max, true);
        sought = true;
        for (const auto& offset : partitions_.rewind()) {
            if (consumer_->seek(offset, 2s)) continue;
            // Keeps the place: an open record at this offset is where the next round begins.
            if (partitions_.has(offset.partition)) (void)partitions_.take(offset.partition, offset.offset);
            sought = false;
        }
    }
    rewind_ = stopping_;
}

void UplinkWorker::settle(std::span<const kafka::TopicOffset> partitions, runtime::Deadline deadline) {
    while (!partitions_.settled(partitions) && !rewind_ && !deadline.expired()) {
        producer_->poll(*this, kReportBatch, 50ms);
        take_kept();
        retry_held();
    }
}

void UplinkWorker::on_assigned(std::span<const kafka::TopicOffset> partitions) {
    partitions_.assign(partitions);
    shared_.log.info("uplink partitions assigned", {{"count", partitions.size()}});
}

void UplinkWorker::on_revoked(std::span<const kafka::TopicOffset> partitions) {
    settle(partitions, min(runtime::Deadline::in(kRevokeGrace), stop_deadline_));
    if (const auto offsets = partitions_.to_commit(); !offsets.empty()) {
        if (auto committed = consumer_->commit(offsets); !committed) partitions_.commit_failed();
    }
    on_lost(partitions);
}

void UplinkWorker::on_lost(std::span<const kafka::TopicOffset> partitions) {
    partitions_.remove(partitions);
    std::erase_if(held_, [&](const Held& held) { return !partitions_.has(held.partition); });
    shared_.log.info("uplink partitions given up", {{"count", partitions.size()}});
}

void UplinkWorker::on_committed(std::span<const kafka::TopicOffset>, const Result<void>& result) {
    if (result) return;
    partitions_.commit_failed();
    if (auto suppressed = log_limit_.admit("commit", runtime::steady_now())) {
        shared_.log.warn("uplink offsets were not committed, next attempt follows",
                         {{"error", result.error().message}, {"suppressed", *suppressed}});
    }
}

void UplinkWorker::on_error(const Error& error, const kafka::TopicOffset*) {
    if (auto suppressed = log_limit_.admit("consumer", runtime::steady_now())) {
        shared_.log.warn("trouble with reading uplink", {{"error", error.message}, {"suppressed", *suppressed}});
    }
}

// The end of the thread: what was read is finished as far as time allows, the rest is read again by others.
void UplinkWorker::finish() {
    const auto in_time = [&] { return !stop_deadline_.expired(); };
    take_initial();
    while (producer_->stats().queued > 0 && !rewind_ && in_time()) producer_->poll(*this, kReportBatch, 50ms);
    for (auto& [id, pending] : initial_) {
        if (pending.value.done) pending.value.done(false);
    }
    initial_.clear();
    const bool clean = producer_->stats().queued == 0 && !rewind_;
    consumer_->close();  // on_revoked commits
    runtime::Poller written;
    written.add(write_->changed.fd(), 0);
    for (bool busy = true; busy && in_time();) {
        flush_latest(config_.uplink.latest_max);
        busy = write_->state == LatestWrite::State::busy || latest_.size() > 0;
        if (busy) (void)written.wait(kIdleWait);
        write_->changed.clear();
        if (write_->state == LatestWrite::State::failed) break;
    }
    stopped_clean_ = clean;
}

}  // namespace lanyard::observation
