#include "downlink_service.hpp"

#include <atomic>

#include "rpc/batch_stream_server.hpp"

namespace lanyard::registry {

using internal::v1::DownlinkBatch;
using internal::v1::DownlinkRequest;
using internal::v1::DownlinkResult;
using internal::v1::DownlinkResultBatch;
using Server = rpc::BatchStreamServer<DownlinkBatch, DownlinkResultBatch>;

class DownlinkService::Stream final : public Server::Handler, public std::enable_shared_from_this<Stream> {
  public:
    explicit Stream(DownlinkService& service) : service_(service) {}

    void on_open(const std::shared_ptr<Server>& stream) override {
        server_ = stream;
        service_.executor_([self = shared_from_this()] { self->service_.streams_[self.get()] = self; });
    }
    // The router bounds what is in flight, so reading never stops.
    bool on_batch(DownlinkBatch& batch) override {
        for (DownlinkRequest& request : *batch.mutable_requests()) route(std::move(request));
        return true;
    }
    void on_client_done() override { release(); }
    void on_closed() override {
        service_.executor_([self = shared_from_this()] { self->service_.streams_.erase(self.get()); });
    }
    void finish(grpc::Status status) {
        if (const auto server = server_.lock()) server->finish(std::move(status));
    }

  private:
    void route(DownlinkRequest&& request) {
        open_.fetch_add(1);
        service_.router_->route(std::move(request), [self = shared_from_this()](DownlinkResult&& result) {
            if (const auto server = self->server_.lock()) (void)server->send(std::move(result));
            self->release();
        });
    }
    void release() {
        if (open_.fetch_sub(1) == 1) finish(grpc::Status::OK);
    }

    DownlinkService& service_;
    std::weak_ptr<Server> server_;
    std::atomic<std::size_t> open_{1};  // requests; the client itself counts as one until it is done
};

grpc::ServerBidiReactor<DownlinkBatch, DownlinkResultBatch>* DownlinkService::Exchange(
    grpc::CallbackServerContext* context) {
    return Server::create(context, {}, std::make_shared<Stream>(*this))->reactor();
}

void DownlinkService::finish_all() {
    for (const auto& [key, weak] : streams_) {
        if (const auto stream = weak.lock()) stream->finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining"));
    }
}

}  // namespace lanyard::registry
