#include "ingress_links.hpp"

#include <unordered_set>
#include <vector>

#include "rpc/batch_stream_client.hpp"
#include "rpc/channel_pool.hpp"

namespace lanyard::registry {

using internal::v1::DownlinkBatch;
using internal::v1::DownlinkRequest;
using internal::v1::DownlinkResultBatch;
using Client = rpc::BatchStreamClient<DownlinkBatch, DownlinkResultBatch>;

// The stream to one ingress. Handler calls come on gRPC's threads and go to the loop; all state is loop only.
class GrpcIngressLinks::Link final : public Client::Handler, public std::enable_shared_from_this<Link> {
  public:
    Link(GrpcIngressLinks& owner, std::string address) : owner_(owner), address_(std::move(address)) {}

    void open() {
        stub_ = internal::v1::DownlinkService::NewStub(rpc::make_channel(address_));
        client_ = std::make_unique<Client>(
            [stub = stub_](grpc::ClientContext* context, Client::Reactor* reactor) {
                stub->async()->Exchange(context, reactor);
            },
            rpc::BatchStreamConfig{}, *this);
    }
    // No handler call comes after it.
    void close() {
        closed_ = true;
        client_.reset();
    }

    void send(DownlinkRequest request) {
        const std::uint64_t id = request.id();
        if (state_ == State::connecting && waiting_.size() < kWaitingMax) {
            waiting_.push_back(std::move(request));
        } else if (state_ != State::ready || !client_->send(std::move(request))) {
            return owner_.events_.failed(id, "the ingress cannot be reached");
        }
        open_.insert(id);
    }
    void forget(std::uint64_t id) { open_.erase(id); }
    [[nodiscard]] bool idle() const { return open_.empty() && state_ == State::down; }

    void on_batch(DownlinkResultBatch& batch) override {
        owner_.executor_([self = shared_from_this(), taken = std::move(batch)]() mutable {
            if (self->closed_) return;
            for (auto& result : *taken.mutable_results()) {
                if (self->open_.erase(result.id()) > 0) self->owner_.events_.result(std::move(result));
            }
        });
    }
    void on_ready(DownlinkBatch&) override {
        owner_.executor_([self = shared_from_this()] { self->ready(); });
    }
    void on_down(const Error& error, std::vector<DownlinkRequest>) override {
        owner_.executor_([self = shared_from_this(), reason = error.message] { self->down(reason); });
    }

  private:
    enum class State : std::uint8_t { connecting, ready, down };
    static constexpr std::size_t kWaitingMax = 4096;

    void ready() {
        if (closed_) return;
        state_ = State::ready;
        auto waiting = std::move(waiting_);
        waiting_.clear();
        for (DownlinkRequest& request : waiting) {
            if (open_.erase(request.id()) > 0) send(std::move(request));
        }
    }
    // What was sent and not answered will not be answered on another stream either.
    void down(const std::string& reason) {
        if (closed_) return;
        state_ = State::down;
        waiting_.clear();
        const auto lost = std::move(open_);
        open_.clear();
        for (const std::uint64_t id : lost) owner_.events_.failed(id, "the ingress cannot be reached: " + reason);
    }

    GrpcIngressLinks& owner_;
    const std::string address_;
    std::shared_ptr<internal::v1::DownlinkService::Stub> stub_;
    std::unique_ptr<Client> client_;
    State state_ = State::connecting;
    bool closed_ = false;
    std::vector<DownlinkRequest> waiting_;
    std::unordered_set<std::uint64_t> open_;
};

GrpcIngressLinks::~GrpcIngressLinks() {
    for (auto& item : links_) item.second->close();
}

void GrpcIngressLinks::send(const std::string& address, DownlinkRequest request) {
    auto& link = links_[address];
    if (!link) {
        log_.info("connecting to ingress", {{"address", address}});
        link = std::make_shared<Link>(*this, address);
        link->open();
    }
    const auto held = link;
    held->send(std::move(request));
}

void GrpcIngressLinks::forget(const std::string& address, std::uint64_t id) {
    const auto found = links_.find(address);
    if (found != links_.end()) found->second->forget(id);
}

void GrpcIngressLinks::drop_idle() {
    std::erase_if(links_, [](auto& item) {
        if (!item.second->idle()) return false;
        item.second->close();
        return true;
    });
}

}  // namespace lanyard::registry
