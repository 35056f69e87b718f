#pragma once

#include <memory>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include "base/error.hpp"
#include "rpc/batch_stream.hpp"

namespace lanyard::rpc {

// The server end of a stream of batches (rpc/batch_stream_client.hpp): one object per stream.
//
//   grpc::ServerBidiReactor<In, Out>* Register(grpc::CallbackServerContext* context) override {
//       auto stream = BatchStreamServer<In, Out>::create(context, config, std::make_shared<MyHandler>());
//       return stream->reactor();
//   }
//
// The stream keeps itself and its handler alive until gRPC is done with it. send() and finish() are safe from any
// thread and do nothing after the end; keep a shared_ptr or weak_ptr to answer later.
template <class InBatch, class OutBatch>
class BatchStreamServer {
  public:
    using OutItem = ItemOf<OutBatch>;

    class Handler {
      public:
        virtual ~Handler() = default;
        // Called first, before any batch.
        virtual void on_open(const std::shared_ptr<BatchStreamServer>& stream) = 0;
        // False stops reading until resume(): the back pressure of a handler with too much in hand. Serialized.
        virtual bool on_batch(InBatch& batch) = 0;
        // The client will send no more (half close). The stream ends when all queued answers are written and
        // finish() was called; the default of a handler without work in hand is to call finish at once.
        virtual void on_client_done() = 0;
        // The stream is over, for whatever reason; nothing follows.
        virtual void on_closed() = 0;
    };

    static std::shared_ptr<BatchStreamServer> create(grpc::CallbackServerContext* context, BatchStreamConfig config,
                                                     std::shared_ptr<Handler> handler);
    [[nodiscard]] grpc::ServerBidiReactor<InBatch, OutBatch>* reactor();

    // Queues an answer. cancelled after the end. resource_exhausted when queue_max wait: the peer does not read,
    // and the stream is cancelled.
    Result<void> send(OutItem item);
    // Reads on after on_batch returned false.
    void resume();
    // Writes what is queued and ends the stream with this status.
    void finish(grpc::Status status = grpc::Status::OK);
};

}  // namespace lanyard::rpc
