#pragma once

#include <algorithm>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include "base/error.hpp"
#include "rpc/batch_stream.hpp"

namespace lanyard::rpc {

// The server end of a stream of batches (rpc/batch_stream_client.hpp): one object per stream.
//
//   grpc::ServerBidiReactor<In, Out>* Exchange(grpc::CallbackServerContext* context) override {
//       return BatchStreamServer<In, Out>::create(context, config, std::make_shared<MyHandler>())->reactor();
//   }
//
// The stream keeps itself and its handler alive until gRPC is done with it. send() and finish() are safe from any
// thread and do nothing after the end; keep a shared_ptr or weak_ptr to answer later.
template <class InBatch, class OutBatch>
class BatchStreamServer final : public grpc::ServerBidiReactor<InBatch, OutBatch>,
                                public std::enable_shared_from_this<BatchStreamServer<InBatch, OutBatch>> {
  public:
    using OutItem = ItemOf<OutBatch>;

    class Handler {
      public:
        virtual ~Handler() = default;
        // Called first, before any batch.
        virtual void on_open(const std::shared_ptr<BatchStreamServer>& stream) = 0;
        // False stops reading until resume(): the back pressure of a handler with too much in hand. Serialized.
        virtual bool on_batch(InBatch& batch) = 0;
        // The client will send no more (half close). The handler calls finish() when its last answer is sent; one
        // without work in hand calls it here.
        virtual void on_client_done() = 0;
        // The stream is over, for whatever reason; nothing follows.
        virtual void on_closed() = 0;
    };

    static std::shared_ptr<BatchStreamServer> create(grpc::CallbackServerContext* context, BatchStreamConfig config,
                                                     std::shared_ptr<Handler> handler) {
        std::shared_ptr<BatchStreamServer> stream(new BatchStreamServer(context, config, std::move(handler)));
        stream->self_ = stream;
        stream->handler_->on_open(stream);
        stream->StartSendInitialMetadata();  // the client takes it as the sign of life
        stream->StartRead(&stream->in_);
        return stream;
    }
    [[nodiscard]] grpc::ServerBidiReactor<InBatch, OutBatch>* reactor() { return this; }

    // Queues an answer. cancelled after the end. resource_exhausted when queue_max wait: the peer does not read,
    // and the stream is cancelled.
    Result<void> send(OutItem item) { return send_all({&item, 1}); }
    // The same for many: they travel together, at the price of one message and one wake-up.
    Result<void> send_all(std::span<OutItem> items) {
        {
            const std::lock_guard lock(mutex_);
            if (over()) return make_error(Errc::cancelled, "the stream has ended");
            if (queue_.size() + items.size() <= config_.queue_max) {
                std::move(items.begin(), items.end(), std::back_inserter(queue_));
            } else {
                broken_ = true;
            }
        }
        if (!is_broken()) {
            advance();
            return {};
        }
        cancel();
        return make_error(Errc::resource_exhausted, "the peer does not read its answers (queue_max)");
    }
    // Queues a whole message (a welcome) that goes before all queued answers.
    Result<void> send_message(OutBatch message) {
        {
            const std::lock_guard lock(mutex_);
            if (over()) return make_error(Errc::cancelled, "the stream has ended");
            messages_.push_back(std::move(message));
        }
        advance();
        return {};
    }
    // Reads on after on_batch returned false.
    void resume() {
        {
            const std::lock_guard lock(mutex_);
            if (!paused_ || over()) return;
            paused_ = false;
            ++starting_;
        }
        this->StartRead(&in_);
        started();
    }
    // Writes what is queued and ends the stream with this status.
    void finish(grpc::Status status = grpc::Status::OK) {
        {
            const std::lock_guard lock(mutex_);
            if (!end_) end_ = std::move(status);
        }
        advance();
    }

  private:
    BatchStreamServer(grpc::CallbackServerContext* context, BatchStreamConfig config, std::shared_ptr<Handler> handler)
        : context_(context), config_(config), handler_(std::move(handler)) {}

    void OnReadDone(bool ok) override {
        if (!ok) {
            if (!is_broken()) handler_->on_client_done();
            return;
        }
        {
            // Paused before the handler runs, as resume() may come from another thread before it returns.
            const std::lock_guard lock(mutex_);
            paused_ = true;
        }
        if (handler_->on_batch(in_)) resume();
    }
    void OnWriteDone(bool ok) override {
        {
            const std::lock_guard lock(mutex_);
            writing_ = false;
            out_.Clear();
        }
        if (ok) {
            advance();
        } else {
            give_up();
        }
    }
    void OnCancel() override { give_up(); }
    void OnDone() override {
        const auto self = std::move(self_);
        handler_->on_closed();
        handler_.reset();
    }

    // Under the mutex: nothing may be queued any more.
    [[nodiscard]] bool over() const { return finished_ || broken_ || end_.has_value(); }
    [[nodiscard]] bool is_broken() {
        const std::lock_guard lock(mutex_);
        return broken_;
    }

    // Starts the next write or, when nothing is left, the end.
    void advance() {
        bool end = false;
        {
            const std::lock_guard lock(mutex_);
            if (finished_ || writing_) return;
            if (!messages_.empty()) {
                out_ = std::move(messages_.front());
                messages_.pop_front();
            } else if (!queue_.empty()) {
                fill_batch(out_, queue_, config_);
            } else if (end_ && starting_ == 0) {
                end = true;
            } else {
                return;
            }
            finished_ = end;
            writing_ = !end;
            starting_ += end ? 0 : 1;
        }
        if (end) {
            this->Finish(*end_);
            return;
        }
        this->StartWrite(&out_);
        started();
    }
    // An operation was handed to gRPC: until then Finish() must wait.
    void started() {
        {
            const std::lock_guard lock(mutex_);
            --starting_;
        }
        advance();
    }
    void cancel() {
        {
            const std::lock_guard lock(mutex_);
            if (finished_) return;
            ++starting_;
        }
        context_->TryCancel();
        started();
    }
    void give_up() {
        {
            const std::lock_guard lock(mutex_);
            broken_ = true;
            queue_.clear();
            messages_.clear();
            if (!end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "the stream was cancelled");
        }
        advance();
    }

    grpc::CallbackServerContext* context_;
    const BatchStreamConfig config_;
    std::shared_ptr<Handler> handler_;
    std::shared_ptr<BatchStreamServer> self_;
    InBatch in_;
    OutBatch out_;

    std::mutex mutex_;  // guards what follows
    std::deque<OutItem> queue_;
    std::deque<OutBatch> messages_;
    std::optional<grpc::Status> end_;
    bool writing_ = false;
    bool paused_ = false;
    bool broken_ = false;
    bool finished_ = false;
    int starting_ = 0;
};

}  // namespace lanyard::rpc
