#include "registry_downlink.hpp"

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "lanyard/internal/v1/downlink.grpc.pb.h"
#include "rpc/batch_stream_client.hpp"
#include "rpc/channel_pool.hpp"
#include "runtime/clock.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;
using internal::v1::DownlinkBatch;
using internal::v1::DownlinkRequest;
using internal::v1::DownlinkResult;
using internal::v1::DownlinkResultBatch;
using internal::v1::DownlinkService;
using Stream = rpc::BatchStreamClient<DownlinkBatch, DownlinkResultBatch>;

// An answer may take this much longer than the device's timeout.
constexpr Duration kGrace = 10s;
constexpr Duration kSweep = 1s;

DownlinkRequest to_message(const DownlinkCommand& command, std::uint64_t id) {
    DownlinkRequest out;
    out.set_id(id);
    out.set_device_number(command.device.value);
    out.set_generation(command.generation);
    if (command.owner) {
        out.mutable_owner()->set_node(command.owner->node);
        out.mutable_owner()->set_shard(command.owner->shard);
        out.mutable_owner()->set_epoch(command.owner->epoch);
    }
    out.set_timeout_ms(static_cast<std::uint32_t>(command.timeout.count()));
    auto& request = *out.mutable_request();
    request.set_method(static_cast<std::uint32_t>(command.method));
    request.set_path(command.path);
    for (const std::string& query : command.queries) request.add_queries(query);
    if (command.accept) request.set_accept(*command.accept);
    if (command.observe) request.set_observe(*command.observe);
    request.set_token(command.token.data(), command.token.size());
    return out;
}

Outcome outcome_of(DownlinkResult::Outcome outcome) {
    switch (outcome) {
        case DownlinkResult::OUTCOME_ANSWERED:
            return Outcome::answered;
        case DownlinkResult::OUTCOME_UNKNOWN_DEVICE:
        case DownlinkResult::OUTCOME_OFFLINE:
            return Outcome::offline;
        case DownlinkResult::OUTCOME_RESET:
        case DownlinkResult::OUTCOME_INVALID:
            return Outcome::refused;
        default:
            return Outcome::unreachable;
    }
}

std::string text_of(const DownlinkResult& result) {
    if (!result.message().empty()) return result.message();
    switch (result.outcome()) {
        case DownlinkResult::OUTCOME_TIMEOUT:
            return "the device did not answer";
        case DownlinkResult::OUTCOME_SLEEPING:
            return "the device sleeps";
        case DownlinkResult::OUTCOME_QUEUE_FULL:
            return "too many requests wait for the device";
        case DownlinkResult::OUTCOME_RESET:
            return "the device answered with a Reset";
        default:
            return "the device cannot be reached";
    }
}

DownlinkAnswer to_answer(DownlinkResult& result) {
    DownlinkAnswer out;
    out.outcome = outcome_of(result.outcome());
    out.message = text_of(result);
    out.code = static_cast<std::uint8_t>(result.coap_code());
    if (result.has_content_format()) out.content_format = static_cast<std::uint16_t>(result.content_format());
    if (result.has_observe()) out.observe = result.observe();
    out.payload = std::move(*result.mutable_payload());
    out.received_ms = result.received_ms() != 0 ? result.received_ms() : runtime::now().wall_ms;
    return out;
}

DownlinkAnswer unreachable(std::string message) {
    DownlinkAnswer out;
    out.message = std::move(message);
    return out;
}

}  // namespace

struct RegistryDownlink::Impl final : Stream::Handler, std::enable_shared_from_this<Impl> {
    using Done = std::function<void(DownlinkAnswer)>;
    struct Pending {
        Done done;
        SteadyTime until;
    };

    Impl(std::vector<std::string> list, Scheduler& s, runtime::HealthBoard::Dependency h)
        : addresses(std::move(list)), scheduler(s), health(h) {}

    void open(grpc::ClientContext* context, Stream::Reactor* reactor) {
        const std::string& address = addresses[attempt++ % addresses.size()];
        // A stub per attempt: the former one may still serve a call that is ending.
        auto next = std::shared_ptr<DownlinkService::Stub>(DownlinkService::NewStub(channels.get(address)));
        {
            const std::lock_guard lock(mutex);
            former = std::exchange(stub, next);
        }
        next->async()->Exchange(context, reactor);
    }

    void on_batch(DownlinkResultBatch& batch) override {
        for (DownlinkResult& result : *batch.mutable_results()) {
            if (Done done = take(result.id())) done(to_answer(result));
        }
    }
    void on_ready(DownlinkBatch& /*first*/) override { health.ok(); }
    void on_down(const Error& error, std::vector<DownlinkRequest> /*unsent*/) override {
        health.down(error.message + "; attempts go on");
        fail_until(SteadyTime::max(), "the registry cannot be reached");
    }

    Done take(std::uint64_t id) {
        const std::lock_guard lock(mutex);
        const auto found = pending.find(id);
        if (found == pending.end()) return {};
        Done done = std::move(found->second.done);
        pending.erase(found);
        return done;
    }

    // Answers everything whose time is over at `now`.
    void fail_until(SteadyTime now, const std::string& why) {
        std::vector<Done> late;
        {
            const std::lock_guard lock(mutex);
            std::erase_if(pending, [&](auto& entry) {
                if (entry.second.until > now) return false;
                late.push_back(std::move(entry.second.done));
                return true;
            });
        }
        for (Done& done : late) done(unreachable(why));
    }

    void sweep_later() {
        scheduler.after(kSweep, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->stopped) return;
            self->fail_until(runtime::steady_now(), "no answer in time");
            self->sweep_later();
        });
    }

    std::vector<std::string> addresses;
    Scheduler& scheduler;
    runtime::HealthBoard::Dependency health;
    rpc::ChannelPool channels;
    std::mutex mutex;
    std::shared_ptr<DownlinkService::Stub> stub;
    std::shared_ptr<DownlinkService::Stub> former;
    std::size_t attempt = 0;
    std::unordered_map<std::uint64_t, Pending> pending;
    std::uint64_t next_id = 1;
    std::atomic<bool> stopped{false};
    std::unique_ptr<Stream> stream;
};

RegistryDownlink::RegistryDownlink(std::vector<std::string> addresses, Scheduler& scheduler,
                                   runtime::HealthBoard::Dependency health)
    : impl_(std::make_shared<Impl>(std::move(addresses), scheduler, health)) {
    impl_->stream = std::make_unique<Stream>(
        [impl = impl_.get()](grpc::ClientContext* context, Stream::Reactor* reactor) { impl->open(context, reactor); },
        rpc::BatchStreamConfig{}, *impl_);
    impl_->sweep_later();
}

RegistryDownlink::~RegistryDownlink() {
    stop();
}

void RegistryDownlink::stop() {
    if (impl_->stopped.exchange(true)) return;
    impl_->stream->stop(500ms);
    impl_->fail_until(SteadyTime::max(), "stopping");
}

void RegistryDownlink::send(DownlinkCommand command, std::function<void(DownlinkAnswer)> done) {
    std::unique_lock lock(impl_->mutex);
    if (impl_->pending.size() >= kMaxDownlinks) {
        lock.unlock();
        return done(unreachable("too many requests are under way"));
    }
    const std::uint64_t id = impl_->next_id++;
    impl_->pending.emplace(id, Impl::Pending{std::move(done), runtime::steady_now() + command.timeout + kGrace});
    lock.unlock();
    const auto sent = impl_->stream->send(to_message(command, id));
    if (sent) return;
    if (auto failed = impl_->take(id)) failed(unreachable(sent.error().message));
}

}  // namespace lanyard::observation
