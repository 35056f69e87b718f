#include "device_watch.hpp"

#include <condition_variable>
#include <future>

#include "device_list.hpp"
#include "event_value.hpp"
#include "identity/resource_name.hpp"
#include "identity/sealed_token.hpp"
#include "kafka/consumer.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"
#include "rpc/status.hpp"
#include "runtime/clock.hpp"
#include "runtime/thread.hpp"

namespace lanyard::registry {
namespace {

using std::chrono::milliseconds;
using v1::WatchDevicesResponse;

constexpr milliseconds kKafkaTimeout{5000};
constexpr milliseconds kPoll{100};
constexpr std::size_t kSnapshotPage = 500;
constexpr std::size_t kBatch = 256;
constexpr int kIdlePolls = 100;  // 10 s

// A call that ends at once.
class Refused final : public grpc::ServerWriteReactor<WatchDevicesResponse> {
  public:
    explicit Refused(const grpc::Status& status) { Finish(status); }
    void OnDone() override { delete this; }
};

// too_large is a resume token that the topic has outlived, resource_exhausted a client that does not read.
grpc::Status status_of(const Error& error) {
    rpc::ErrorDetails details;
    if (error.code == Errc::too_large) details.reason = "RESUME_TOKEN_TOO_OLD";
    if (error.code == Errc::resource_exhausted) details.reason = "SLOW_CONSUMER";
    return rpc::to_status(error, details);
}

Error too_old() {
    return make_error(Errc::too_large, "resume_token: older than the topic keeps; start anew without it");
}

Error unavailable(std::string text) {
    return make_error(Errc::unavailable, std::move(text));
}

}  // namespace

// One call. run() has a thread of its own; gRPC's callbacks only wake it.
class WatchHub::Stream final : public grpc::ServerWriteReactor<WatchDevicesResponse>,
                               public std::enable_shared_from_this<Stream>,
                               private kafka::ConsumerEvents {
  public:
    Stream(WatchHub& hub, grpc::CallbackServerContext* context, std::string tenant, filter::Filter filter,
           std::optional<ResumePosition> resume)
        : hub_(hub),
          context_(context),
          tenant_(std::move(tenant)),
          filter_(std::move(filter)),
          scope_(identity::token_scope(tenant_, filter_.hash())),
          resume_(std::move(resume)) {}

    void start() {
        self_ = shared_from_this();
        thread_ = runtime::Thread("reg-watch", [this] { run(); });
    }
    [[nodiscard]] bool over() const { return over_; }

    void OnWriteDone(bool ok) override {
        const std::lock_guard lock(mutex_);
        writing_ = false;
        broken_ = broken_ || !ok;
        wake_.notify_all();
    }
    void OnCancel() override {
        const std::lock_guard lock(mutex_);
        broken_ = true;
        wake_.notify_all();
    }
    void OnDone() override {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
            wake_.notify_all();
        }
        // The hub still holds it, until the thread has ended.
        self_.reset();
    }

  private:
    void run() {
        auto result = follow();
        const bool slow = !result && result.error().code == Errc::resource_exhausted;
        if (slow) hub_.cut_();
        Finish(result ? grpc::Status::OK : status_of(result.error()));
        std::unique_lock lock(mutex_);
        const Duration grace = slow || hub_.stopping_ ? hub_.config_.watch.write_deadline : Duration(kKafkaTimeout);
        if (!wake_.wait_for(lock, grace, [this] { return done_; })) {
            lock.unlock();
            context_->TryCancel();
            lock.lock();
            wake_.wait(lock, [this] { return done_; });
        }
        --hub_.open_;
        over_ = true;
    }

    // Snapshot, then deltas; ends with an error, or well when the client has gone.
    Result<void> follow() {
        kafka::ConsumerConfig config;
        config.client = hub_.config_.kafka.client;
        auto consumer = kafka::Consumer::create(config, *this);
        if (!consumer) return consumer.error();
        const std::string& topic = hub_.config_.topics.device_state;
        at_.seen_ms = runtime::now().wall_ms;
        const auto ends = (*consumer)->end_offsets(topic, kKafkaTimeout);
        if (!ends) return unavailable("the device-state topic: " + ends.error().message);
        ends_.assign(ends->size(), 0);
        for (const kafka::TopicOffset& end : *ends) ends_.at(static_cast<std::size_t>(end.partition)) = end.offset;
        at_.offsets = ends_;
        if (resume_) {
            if (resume_->offsets.size() > ends_.size()) {
                return make_error(Errc::invalid_argument, "resume_token: malformed");
            }
            at_ = *resume_;
            at_.offsets.resize(ends_.size(), kafka::kOffsetBeginning);
        } else if (auto snapshot = write_snapshot(); !snapshot) {
            return snapshot;
        }
        if (auto assigned = assign(**consumer); !assigned) return assigned;
        if (auto marked = write_bookmark(); !marked) return marked;
        return write_deltas(**consumer);
    }

    Result<void> assign(kafka::Consumer& consumer) {
        const std::string& topic = hub_.config_.topics.device_state;
        std::vector<kafka::TopicOffset> from;
        for (std::size_t i = 0; i < at_.offsets.size(); ++i) {
            from.push_back({topic, static_cast<std::int32_t>(i), at_.offsets[i]});
        }
        auto assigned = consumer.assign_kept(from, kKafkaTimeout);
        if (!assigned && assigned.error().code == Errc::not_found) return too_old();
        if (!assigned) return unavailable("the device-state topic: " + assigned.error().message);
        return {};
    }

    Result<void> write_snapshot() {
        std::optional<PagePosition> at = PagePosition{};
        while (at) {
            auto page = read_page(*at);
            if (!page) return page.error();
            for (v1::Device& device : page->devices) {
                WatchDevicesResponse response;
                response.set_type(WatchDevicesResponse::TYPE_ADDED);
                *response.mutable_device() = std::move(device);
                if (auto sent = write(std::move(response)); !sent) return sent;
            }
            at = page->next;
        }
        return {};
    }

    // Asks the loop and waits.
    Result<ListResult> read_page(PagePosition from) {
        auto promise = std::make_shared<std::promise<Result<ListResult>>>();
        auto future = promise->get_future();
        ListQuery query{tenant_, filter_, from, kSnapshotPage, view()};
        hub_.executor_([&hub = hub_, query = std::move(query), promise]() mutable {
            list_devices(hub.store_, hub.nodes_, std::move(query),
                         [promise](Result<ListResult> result) { promise->set_value(std::move(result)); });
        });
        if (future.wait_for(kKafkaTimeout) != std::future_status::ready)
            return unavailable("the store does not answer");
        return future.get();
    }

    Result<void> write_deltas(kafka::Consumer& consumer) {
        kafka::MessageBatch batch;
        SteadyTime bookmarked = runtime::steady_now();
        while (!gone()) {
            if (hub_.stopping_) return unavailable("the registry is draining; resume elsewhere");
            const UnixMillis asked_ms = runtime::now().wall_ms;
            consumer.poll(batch, kBatch, kPoll);
            if (failed_) return *failed_;
            note_seen(batch.size(), asked_ms);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                if (auto sent = write_change(batch[i]); !sent) return sent;
            }
            const SteadyTime now = runtime::steady_now();
            if (now - bookmarked < hub_.config_.watch.bookmark) continue;
            if (auto marked = write_bookmark(); !marked) return marked;
            bookmarked = now;
        }
        return {};
    }

    // Moves the time up to which all is read: once what there was at the start is read (or nothing has come for long: a
    // compacted end has no records), and when a poll took all that was there.
    void note_seen(std::size_t taken, UnixMillis asked_ms) {
        idle_polls_ = taken == 0 ? idle_polls_ + 1 : 0;
        caught_up_ = caught_up_ || idle_polls_ >= kIdlePolls ||
                     std::equal(ends_.begin(), ends_.end(), at_.offsets.begin(),
                                [](std::int64_t end, std::int64_t at) { return std::max<std::int64_t>(at, 0) >= end; });
        if (caught_up_ && drained_) at_.seen_ms = std::max(at_.seen_ms, drained_ms_);
        drained_ = taken < kBatch;
        drained_ms_ = asked_ms;
    }

    Result<void> write_change(const kafka::MessageView& message) {
        at_.offsets.at(static_cast<std::size_t>(message.partition())) = message.offset() + 1;
        const auto name = identity::parse_device_key(message.key());
        if (!name || name->tenant != tenant_) return {};
        WatchDevicesResponse response;
        if (message.tombstone()) {
            response.set_type(WatchDevicesResponse::TYPE_DELETED);
            response.set_event("deleted");
            response.mutable_device()->set_name(name->resource_name());
        } else {
            const auto type = message.header("content-type").value_or(kJsonType);
            const auto record = decode_device_state(as_text(message.value()), type);
            if (!record) {
                hub_.log_.warn("device-state record skipped", {{"reason", record.error().message}});
                return {};
            }
            *response.mutable_device() = to_device(*record, view());
            response.set_event(record->event());
            // A device that left the filter is gone from the watcher's view.
            response.set_type(matches(filter_, response.device()) ? WatchDevicesResponse::TYPE_MODIFIED
                                                                  : WatchDevicesResponse::TYPE_DELETED);
        }
        response.set_resume_token(make_resume_token(hub_.key_, scope_, at_));
        return write(std::move(response));
    }

    Result<void> write_bookmark() {
        WatchDevicesResponse response;
        response.set_type(WatchDevicesResponse::TYPE_BOOKMARK);
        response.set_resume_token(make_resume_token(hub_.key_, scope_, at_));
        return write(std::move(response));
    }

    // One message at a time; waits until gRPC has taken it.
    Result<void> write(WatchDevicesResponse response) {
        std::unique_lock lock(mutex_);
        if (broken_) return make_error(Errc::cancelled, "the client has gone");
        message_ = std::move(response);
        writing_ = true;
        lock.unlock();
        StartWrite(&message_);
        lock.lock();
        if (wake_.wait_for(lock, hub_.config_.watch.write_deadline, [this] { return !writing_ || broken_; })) {
            if (!broken_) return {};
            return make_error(Errc::cancelled, "the client has gone");
        }
        return make_error(Errc::resource_exhausted, "the client reads too slowly; resume with the last token");
    }

    bool gone() {
        const std::lock_guard lock(mutex_);
        return broken_;
    }

    [[nodiscard]] ViewContext view() const {
        return {hub_.key_, hub_.config_.awake_window, runtime::now().wall_ms, nullptr};
    }

    void on_error(const Error& error, const kafka::TopicOffset* partition) override {
        if (!partition || error.code != Errc::not_found) return;
        failed_ = too_old();
    }

    WatchHub& hub_;
    grpc::CallbackServerContext* context_;
    const std::string tenant_;
    const filter::Filter filter_;
    const std::uint64_t scope_;
    const std::optional<ResumePosition> resume_;
    ResumePosition at_;               // the thread's own, as the next
    std::vector<std::int64_t> ends_;  // of the partitions, at the start
    int idle_polls_ = 0;
    bool caught_up_ = false;
    bool drained_ = false;  // the former poll, which began at drained_ms_, took all that was there
    UnixMillis drained_ms_ = 0;
    std::optional<Error> failed_;  // too_large is OUT_OF_RANGE to the client
    WatchDevicesResponse message_;
    std::mutex mutex_;  // guards the flags below
    std::condition_variable wake_;
    bool writing_ = false;
    bool broken_ = false;
    bool done_ = false;
    std::atomic<bool> over_{false};
    std::shared_ptr<Stream> self_;
    runtime::Thread thread_;
};

WatchHub::WatchHub(DeviceStore& store, NodeNames& nodes, Executor executor, const Config& config, const SipKey& key,
                   const telemetry::Logger& log, std::function<void()> cut)
    : store_(store),
      nodes_(nodes),
      executor_(std::move(executor)),
      config_(config),
      key_(key),
      log_(log),
      cut_(std::move(cut)) {}

WatchHub::~WatchHub() {
    stop();
}

grpc::ServerWriteReactor<WatchDevicesResponse>* WatchHub::open(grpc::CallbackServerContext* context,
                                                               const v1::WatchDevicesRequest& request) {
    auto tenant = identity::parse_tenant_name(request.parent());
    if (!tenant) return new Refused(rpc::invalid_field("parent", tenant.error().message));
    auto filter = parse_device_filter(request.filter());
    if (!filter) return new Refused(rpc::invalid_field("filter", filter.error().message));
    std::optional<ResumePosition> resume;
    if (!request.resume_token().empty()) {
        auto token = parse_resume_token(key_, identity::token_scope(*tenant, filter->hash()), request.resume_token());
        if (!token) return new Refused(rpc::invalid_field("resume_token", token.error().message));
        // Deletions that followed it may be gone from the compacted topic.
        if (runtime::now().wall_ms - token->seen_ms > kTombstonesKept.count()) return new Refused(status_of(too_old()));
        resume = std::move(*token);
    }
    const std::lock_guard lock(mutex_);
    streams_.remove_if([](const auto& stream) { return stream->over(); });
    if (stopping_) return new Refused(rpc::to_status(unavailable("the registry is draining")));
    if (open_ >= config_.watch.streams_max) {
        return new Refused(rpc::to_status(make_error(Errc::resource_exhausted, "too many WatchDevices streams")));
    }
    ++open_;
    auto stream = std::make_shared<Stream>(*this, context, std::move(*tenant), std::move(*filter), std::move(resume));
    streams_.push_back(stream);
    stream->start();
    return stream.get();
}

void WatchHub::stop() {
    stopping_ = true;
    std::list<std::shared_ptr<Stream>> streams;
    {
        const std::lock_guard lock(mutex_);
        streams.swap(streams_);
    }
}

grpc::ServerWriteReactor<WatchDevicesResponse>* watch_devices(WatchHub* hub, grpc::CallbackServerContext* context,
                                                              const v1::WatchDevicesRequest& request) {
    if (!hub) return new Refused(rpc::to_status(unavailable("WatchDevices needs Kafka")));
    return hub->open(context, request);
}

}  // namespace lanyard::registry
