#include "downlink_service.hpp"

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
        service_.executor_([self = shared_from_this(), taken = std::move(batch)]() mutable {
            for (DownlinkRequest& request : *taken.mutable_requests()) self->route(std::move(request));
        });
        return true;
    }
    void on_client_done() override {
        service_.executor_([self = shared_from_this()] {
            self->client_done_ = true;
            self->finish_if_done();
        });
    }
    void on_closed() override {
        service_.executor_([self = shared_from_this()] { self->service_.streams_.erase(self.get()); });
    }
    void finish(grpc::Status status) {
        if (const auto server = server_.lock()) server->finish(std::move(status));
    }

  private:
    void route(DownlinkRequest&& request) {
        ++open_;
        service_.router_->route(std::move(request), [self = shared_from_this()](DownlinkResult&& result) {
            if (const auto server = self->server_.lock()) (void)server->send(std::move(result));
            --self->open_;
            self->finish_if_done();
        });
    }
    void finish_if_done() {
        if (client_done_ && open_ == 0) finish(grpc::Status::OK);
    }

    DownlinkService& service_;
    std::weak_ptr<Server> server_;
    std::size_t open_ = 0;  // loop only, as the next
    bool client_done_ = false;
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
