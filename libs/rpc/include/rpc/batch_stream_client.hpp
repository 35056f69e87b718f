#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include "base/error.hpp"
#include "rpc/batch_stream.hpp"
#include "rpc/status.hpp"

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
        // The peer answered: send() works from now on. What is put into `first` (a hello) is the first message of
        // this connection, before all items; left empty, nothing is sent.
        virtual void on_ready(OutBatch& first) = 0;
        // Not connected any more, or an attempt failed. Further failed attempts call it again with no items.
        virtual void on_down(const Error& error, std::vector<OutItem> unsent) = 0;
    };

    // Starts one call: `[stub](auto* context, auto* reactor) { stub->async()->Exchange(context, reactor); }`.
    // May add metadata to the context. Called for every attempt.
    using Open = std::function<void(grpc::ClientContext* context, Reactor* reactor)>;

    // Connects at once. `handler` must live until stop() has returned.
    BatchStreamClient(Open open, BatchStreamConfig config, Handler& handler)
        : core_(std::make_shared<Core>(std::move(open), config, handler)) {
        core_->connect();
    }
    // stop() with no grace.
    ~BatchStreamClient() { stop(std::chrono::milliseconds(0)); }
    BatchStreamClient(const BatchStreamClient&) = delete;
    BatchStreamClient& operator=(const BatchStreamClient&) = delete;

    // Queues an item. unavailable while not connected, resource_exhausted when queue_max wait.
    [[nodiscard]] Result<void> send(OutItem item) { return core_->send(std::move(item)); }
    [[nodiscard]] StreamState state() const { return core_->state(); }
    [[nodiscard]] std::size_t queued() const { return core_->queued(); }

    // Writes what is queued, tells the peer that no more comes and waits up to `grace` for it to end the stream;
    // then cancels. No handler call comes after it has returned. Blocks; not from a handler.
    void stop(std::chrono::milliseconds grace) { core_->stop(grace); }

  private:
    class Core;

    // One attempt: lives until gRPC says OnDone.
    class Stream final : public Reactor {
      public:
        explicit Stream(std::shared_ptr<Core> core) : core_(std::move(core)) {}

        void OnReadInitialMetadataDone(bool ok) override {
            if (!ok) return core_->broke(*this);
            core_->became_ready(*this);
            this->StartRead(&in_);
        }
        void OnReadDone(bool ok) override {
            if (!ok) return core_->broke(*this);
            core_->handler_.on_batch(in_);
            this->StartRead(&in_);
        }
        void OnWriteDone(bool ok) override { core_->wrote(*this, ok); }
        void OnDone(const grpc::Status& status) override {
            const auto core = core_;
            const auto self = std::move(self_);
            core->done(*this, status);
        }

      private:
        friend class Core;
        std::shared_ptr<Core> core_;
        std::shared_ptr<Stream> self_;
        grpc::ClientContext context_;
        grpc::Alarm connect_alarm_;
        InBatch in_;
        OutBatch out_;
        // Guarded by the core's mutex.
        bool answered_ = false;  // the peer gave its sign of life
        bool ready_ = false;     // and on_ready has returned: writes may start
        bool writing_ = false;
        bool write_failed_ = false;
        bool first_pending_ = false;
        bool writes_done_ = false;
        bool dead_ = false;
    };

    class Core : public std::enable_shared_from_this<Core> {
      public:
        Core(Open open, BatchStreamConfig config, Handler& handler)
            : open_(std::move(open)),
              config_(config),
              handler_(handler),
              backoff_(config.backoff_min),
              jitter_(std::random_device{}()) {}

        void connect() {
            auto stream = std::make_shared<Stream>(this->shared_from_this());
            stream->self_ = stream;
            {
                const std::lock_guard lock(mutex_);
                waiting_ = false;
                if (stopping_) {
                    stream->self_.reset();
                    changed_.notify_all();
                    return;
                }
                current_ = stream;
            }
            open_(&stream->context_, stream.get());
            stream->AddHold();  // released by broke(): operations start outside of reactions
            stream->connect_alarm_.Set(std::chrono::system_clock::now() + config_.connect_timeout,
                                       [stream](bool fired) {
                                           if (fired) stream->core_->connect_timed_out(*stream);
                                       });
            stream->StartCall();
        }

        Result<void> send(OutItem item) {
            std::shared_ptr<Stream> stream;
            {
                const std::lock_guard lock(mutex_);
                if (state_ != StreamState::ready || stopping_) {
                    return make_error(Errc::unavailable, "the stream is not connected");
                }
                if (queue_.size() >= config_.queue_max) {
                    return make_error(Errc::resource_exhausted, "too many items wait for the stream (queue_max)");
                }
                queue_.push_back(std::move(item));
                stream = current_;
            }
            pump(stream);
            return {};
        }

        StreamState state() const {
            const std::lock_guard lock(mutex_);
            return state_;
        }
        std::size_t queued() const {
            const std::lock_guard lock(mutex_);
            return queue_.size();
        }

        void stop(std::chrono::milliseconds grace) {
            std::unique_lock lock(mutex_);
            stopping_ = true;
            const auto idle = [this] { return current_ == nullptr && !waiting_; };
            const auto stream = current_;
            lock.unlock();
            alarm_.Cancel();
            if (stream && !has_answered(*stream)) stream->context_.TryCancel();
            pump(stream);
            lock.lock();
            if (!changed_.wait_for(lock, grace, idle)) {
                const auto late = current_;
                lock.unlock();
                if (late) late->context_.TryCancel();
                lock.lock();
                changed_.wait(lock, idle);
            }
            state_ = StreamState::stopped;
        }

      private:
        friend class Stream;

        bool has_answered(const Stream& stream) const {
            const std::lock_guard lock(mutex_);
            return stream.answered_;
        }

        void became_ready(Stream& stream) {
            stream.connect_alarm_.Cancel();
            {
                // Items may queue up from here, but none is written before what on_ready puts first.
                const std::lock_guard lock(mutex_);
                stream.answered_ = true;
                state_ = StreamState::ready;
                backoff_ = config_.backoff_min;
            }
            handler_.on_ready(stream.out_);
            {
                const std::lock_guard lock(mutex_);
                stream.first_pending_ = stream.out_.ByteSizeLong() != 0;
                stream.ready_ = true;
            }
            pump(stream.self_);
        }

        // Starts the next write, if there is something to write and none is under way.
        void pump(const std::shared_ptr<Stream>& stream) {
            bool finish = false;
            {
                const std::lock_guard lock(mutex_);
                if (!stream || !stream->ready_ || stream->dead_ || stream->writing_ || stream->writes_done_) return;
                const bool nothing = queue_.empty() && !stream->first_pending_;
                if (nothing && !stopping_) return;
                finish = nothing;
                stream->writes_done_ = finish;
                stream->writing_ = !finish;
                if (!finish && !stream->first_pending_) fill_batch(stream->out_, queue_, config_);
                stream->first_pending_ = false;
                stream->AddHold();  // the stream may break before the operation is started
            }
            if (finish) {
                stream->StartWritesDone();
            } else {
                stream->StartWrite(&stream->out_);
            }
            stream->RemoveHold();
        }

        void wrote(Stream& stream, bool ok) {
            {
                const std::lock_guard lock(mutex_);
                stream.writing_ = false;
                stream.write_failed_ = !ok;
                if (ok) stream.out_.Clear();
            }
            if (ok) {
                pump(stream.self_);
            } else {
                broke(stream);
            }
        }

        void broke(Stream& stream) {
            {
                const std::lock_guard lock(mutex_);
                if (std::exchange(stream.dead_, true)) return;
            }
            stream.RemoveHold();
        }

        void connect_timed_out(Stream& stream) {
            if (!has_answered(stream)) stream.context_.TryCancel();
        }

        void done(Stream& stream, const grpc::Status& status) {
            stream.connect_alarm_.Cancel();
            std::vector<OutItem> unsent;
            {
                const std::lock_guard lock(mutex_);
                state_ = StreamState::down;
                if (stream.write_failed_) {
                    for (auto& item : items_of(stream.out_)) unsent.push_back(std::move(item));
                }
                std::move(queue_.begin(), queue_.end(), std::back_inserter(unsent));
                queue_.clear();
            }
            const Error error =
                status.ok() ? make_error(Errc::unavailable, "the peer ended the stream") : to_error(status);
            handler_.on_down(error, std::move(unsent));
            const std::lock_guard lock(mutex_);
            current_ = nullptr;
            if (!stopping_) reconnect_later();
            changed_.notify_all();
        }

        // Under the mutex.
        void reconnect_later() {
            const auto base = backoff_;
            backoff_ = std::min(backoff_ * 2, config_.backoff_max);
            std::uniform_int_distribution<std::int64_t> spread(0, base.count() / 2);
            const auto delay = base / 2 + std::chrono::milliseconds(spread(jitter_));
            waiting_ = true;
            // connect() looks at stopping_, so a cancelled alarm needs nothing else.
            alarm_.Set(std::chrono::system_clock::now() + delay,
                       [core = this->shared_from_this()](bool) { core->connect(); });
        }

        const Open open_;
        const BatchStreamConfig config_;
        Handler& handler_;
        mutable std::mutex mutex_;
        std::condition_variable changed_;
        StreamState state_ = StreamState::connecting;
        std::deque<OutItem> queue_;
        std::shared_ptr<Stream> current_;
        grpc::Alarm alarm_;
        bool waiting_ = false;  // the alarm is set
        bool stopping_ = false;
        std::chrono::milliseconds backoff_;
        std::minstd_rand jitter_;
    };

    std::shared_ptr<Core> core_;
};

}  // namespace lanyard::rpc
