#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include "base/error.hpp"
#include "rpc/batch_stream.hpp"

namespace lanyard::rpc {

// The client end of a long-lived bidirectional stream of batches: one call, not one per item.
//
// One message is written at a time; whatever queued up meanwhile goes into the next one, so batches grow with the
// load and a lonely item leaves at once. Reconnects by itself, with backoff and jitter, until stop().
//
// Handler calls are serialized, come on gRPC's threads and must not block. send() is safe from any thread, also
// inside a handler. Items are fire and forget for the stream: match answers by an id in the item. When the stream
// breaks, on_down gives back the items that were not written (the batch being written included); those written
// and not answered are the caller's to fail or send again.
template <class OutBatch, class InBatch>
class BatchStreamClient {
  public:
    using OutItem = ItemOf<OutBatch>;
    using Reactor = grpc::ClientBidiReactor<OutBatch, InBatch>;

    class Handler {
      public:
        virtual ~Handler() = default;
        virtual void on_batch(InBatch& batch) = 0;
        // The peer answered: send() works from now on.
        virtual void on_ready() = 0;
        // Not connected any more, or an attempt failed. After the first on_down further failed attempts call it
        // again with no items.
        virtual void on_down(const Error& error, std::vector<OutItem> unsent) = 0;
    };

    // Starts one call: `[stub](auto* context, auto* reactor) { stub->async()->Register(context, reactor); }`.
    // May add metadata to the context. Called for every attempt.
    using Open = std::function<void(grpc::ClientContext* context, Reactor* reactor)>;

    // Connects at once. `handler` must live until stop() has returned.
    BatchStreamClient(Open open, BatchStreamConfig config, Handler& handler);
    // stop() with no grace.
    ~BatchStreamClient();
    BatchStreamClient(const BatchStreamClient&) = delete;
    BatchStreamClient& operator=(const BatchStreamClient&) = delete;

    // Queues an item. unavailable while not connected, resource_exhausted when queue_max wait.
    [[nodiscard]] Result<void> send(OutItem item);
    [[nodiscard]] StreamState state() const;
    [[nodiscard]] std::size_t queued() const;

    // Writes what is queued, tells the peer that no more comes and waits up to `grace` for it to end the stream;
    // then cancels. No handler call comes after it has returned. Blocks; not from a handler.
    void stop(std::chrono::milliseconds grace);
};

}  // namespace lanyard::rpc
