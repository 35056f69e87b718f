#include "ingress_links.hpp"

#include <unordered_set>
#include <utility>
#include <vector>

#include "rpc/batch_stream_client.hpp"
#include "rpc/channel_pool.hpp"

namespace lanyard::registry {

using internal::v1::DownlinkBatch;
using internal::v1::DownlinkRequest;
using internal::v1::DownlinkResult;
using internal::v1::DownlinkResultBatch;
using Client = rpc::BatchStreamClient<DownlinkBatch, DownlinkResultBatch>;

// The stream to one ingress. Its mutex is never held while events are told.
class GrpcIngressLinks::Link final : public Client::Handler {
  public:
    Link(const Events& events, const std::string& address) : events_(events) {
        const std::lock_guard lock(mutex_);  // handler calls wait until the stream is known
        const std::shared_ptr<internal::v1::DownlinkService::Stub> stub =
            internal::v1::DownlinkService::NewStub(rpc::make_channel(address));
        client_ =
            std::make_unique<Client>([stub](grpc::ClientContext* context,
                                            Client::Reactor* reactor) { stub->async()->Exchange(context, reactor); },
                                     rpc::BatchStreamConfig{}, *this);
    }

    // No handler call comes after it. With the stream goes its channel, whose last owner must not be a thread of gRPC.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        client_.reset();
    }

    void send(DownlinkRequest request) {
        const std::uint64_t id = request.id();
        {
            const std::lock_guard lock(mutex_);
            if (take(std::move(request))) {
                open_.insert(id);
                return;
            }
        }
        events_.failed(id, "the ingress cannot be reached");
    }
    void forget(std::uint64_t id) {
        const std::lock_guard lock(mutex_);
        open_.erase(id);
    }
    [[nodiscard]] bool idle() const {
        const std::lock_guard lock(mutex_);
        return open_.empty() && state_ == State::down;
    }

    void on_batch(DownlinkResultBatch& batch) override {
        std::vector<DownlinkResult> expected;
        {
            const std::lock_guard lock(mutex_);
            for (auto& result : *batch.mutable_results()) {
                if (open_.erase(result.id()) > 0) expected.push_back(std::move(result));
            }
        }
        for (DownlinkResult& result : expected) events_.result(std::move(result));
    }
    void on_ready(DownlinkBatch&) override {
        std::vector<std::uint64_t> failed;
        {
            const std::lock_guard lock(mutex_);
            if (closed_) return;
            state_ = State::ready;
            for (DownlinkRequest& request : std::exchange(waiting_, {})) {
                const std::uint64_t id = request.id();
                if (!open_.contains(id) || client_->send(std::move(request))) continue;
                open_.erase(id);
                failed.push_back(id);
            }
        }
        for (const std::uint64_t id : failed) events_.failed(id, "the ingress cannot be reached");
    }
    // What was sent and not answered will not be answered on another stream either.
    void on_down(const Error& error, std::vector<DownlinkRequest>) override {
        std::unordered_set<std::uint64_t> lost;
        {
            const std::lock_guard lock(mutex_);
            state_ = State::down;
            waiting_.clear();
            lost = std::exchange(open_, {});
        }
        for (const std::uint64_t id : lost) events_.failed(id, "the ingress cannot be reached: " + error.message);
    }

  private:
    enum class State : std::uint8_t { connecting, ready, down };
    static constexpr std::size_t kWaitingMax = 4096;

    // Under the mutex.
    bool take(DownlinkRequest&& request) {
        if (closed_) return false;
        if (state_ == State::ready) return client_->send(std::move(request)).has_value();
        if (state_ != State::connecting || waiting_.size() >= kWaitingMax) return false;
        waiting_.push_back(std::move(request));
        return true;
    }

    const Events& events_;
    std::unique_ptr<Client> client_;
    mutable std::mutex mutex_;  // guards what follows
    State state_ = State::connecting;
    bool closed_ = false;
    std::vector<DownlinkRequest> waiting_;
    std::unordered_set<std::uint64_t> open_;
};

GrpcIngressLinks::~GrpcIngressLinks() {
    close();
}

std::shared_ptr<GrpcIngressLinks::Link> GrpcIngressLinks::link_to(const std::string& address) {
    const std::lock_guard lock(mutex_);
    if (closed_) return nullptr;
    auto& link = links_[address];
    if (!link) {
        log_.info("connecting to ingress", {{"address", address}});
        link = std::make_shared<Link>(events_, address);
    }
    return link;
}

void GrpcIngressLinks::send(const std::string& address, DownlinkRequest request) {
    if (const auto link = link_to(address)) return link->send(std::move(request));
    events_.failed(request.id(), "the registry is draining");
}

void GrpcIngressLinks::forget(const std::string& address, std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = links_.find(address);
    if (found != links_.end()) found->second->forget(id);
}

// Not under the mutex: the end of a stream waits for handler calls, which may lead to another send().
void GrpcIngressLinks::drop_idle() {
    std::vector<std::shared_ptr<Link>> idle;
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(links_, [&idle](auto& item) {
            if (!item.second->idle()) return false;
            idle.push_back(std::move(item.second));
            return true;
        });
    }
    for (const auto& link : idle) link->close();
}

void GrpcIngressLinks::close() {
    std::unordered_map<std::string, std::shared_ptr<Link>> links;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        links.swap(links_);
    }
    for (const auto& item : links) item.second->close();
}

}  // namespace lanyard::registry
