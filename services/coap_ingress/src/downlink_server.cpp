#include "downlink_server.hpp"

#include <atomic>
#include <mutex>
#include <utility>

#include "rpc/batch_stream_server.hpp"
#include "runtime/clock.hpp"

namespace lanyard::coap_ingress {
namespace {

using Stream = rpc::BatchStreamServer<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>;

// Answers of one stream, from any shard. Ends the stream when the client is done and everything is answered.
class StreamReply final : public DownlinkReply {
  public:
    explicit StreamReply(const std::shared_ptr<Stream>& stream) : stream_(stream) {}

    void deliver(internal::v1::DownlinkResult&& result) override {
        const auto stream = stream_.lock();
        if (stream) static_cast<void>(stream->send(std::move(result)));
        release();
    }
    void expect_one() { open_.fetch_add(1); }
    void release() {
        if (open_.fetch_sub(1) != 1) return;
        if (const auto stream = stream_.lock()) stream->finish();
    }

  private:
    std::weak_ptr<Stream> stream_;
    std::atomic<std::uint64_t> open_{1};  // the client itself counts as one until it is done
};

class StreamHandler final : public Stream::Handler {
  public:
    explicit StreamHandler(const DownlinkServer::Route& route) : route_(route) {}

    void on_open(const std::shared_ptr<Stream>& stream) override { reply_ = std::make_shared<StreamReply>(stream); }

    bool on_batch(internal::v1::DownlinkBatch& batch) override {
        const SteadyTime now = runtime::steady_now();
        for (auto& request : *batch.mutable_requests()) {
            reply_->expect_one();
            DownlinkCall call{std::move(request), reply_, now};
            if (route_(call)) continue;
            internal::v1::DownlinkResult result;
            result.set_id(call.request.id());
            result.set_outcome(internal::v1::DownlinkResult::OUTCOME_UNAVAILABLE);
            result.set_message("too many requests wait in this ingress");
            reply_->deliver(std::move(result));
        }
        return true;
    }
    void on_client_done() override { reply_->release(); }
    void on_closed() override {}

  private:
    const DownlinkServer::Route& route_;
    std::shared_ptr<StreamReply> reply_;
};

}  // namespace

grpc::ServerBidiReactor<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>* DownlinkServer::Exchange(
    grpc::CallbackServerContext* context) {
    return Stream::create(context, rpc::BatchStreamConfig{}, std::make_shared<StreamHandler>(route_))->reactor();
}

}  // namespace lanyard::coap_ingress
