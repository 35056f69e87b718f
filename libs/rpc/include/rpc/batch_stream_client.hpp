#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <random>
#include <span>
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
        : open_(std::move(open)),
          config_(config),
          handler_(handler),
          backoff_(config.backoff_min),
          jitter_(std::random_device{}()) {
        connect();
    }
    // stop() with no grace.
    ~BatchStreamClient() { stop(std::chrono::milliseconds(0)); }
    BatchStreamClient(const BatchStreamClient&) = delete;
    BatchStreamClient& operator=(const BatchStreamClient&) = delete;

    // Queues an item. unavailable while not connected, resource_exhausted when queue_max wait.
    [[nodiscard]] Result<void> send(OutItem item) {
        std::unique_lock lock(mutex_);
        if (auto taken = admit(1); !taken) return taken;
        queue_.push_back(std::move(item));
        pump(*stream_, std::move(lock));
        return {};
    }
    // The same for many, all of them or none: they travel together, at the price of one message and one wake-up.
    [[nodiscard]] Result<void> send_all(std::span<OutItem> items) {
        std::unique_lock lock(mutex_);
        if (auto taken = admit(items.size()); !taken) return taken;
        std::move(items.begin(), items.end(), std::back_inserter(queue_));
        pump(*stream_, std::move(lock));
        return {};
    }
    [[nodiscard]] StreamState state() const {
        const std::lock_guard lock(mutex_);
        return state_;
    }
    [[nodiscard]] std::size_t queued() const {
        const std::lock_guard lock(mutex_);
        return queue_.size();
    }

    // Writes what is queued, tells the peer that no more comes and waits up to `grace` for it to end the stream;
    // then cancels. No handler call comes after it has returned. Blocks; not from a handler.
    void stop(std::chrono::milliseconds grace) {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        Stream& last = *stream_;  // no other is made from here on
        last.retry_alarm_.Cancel();
        if (!last.answered_) last.context_.TryCancel();
        pump(last, std::unique_lock(mutex_));
        const auto idle = [this] { return stream_->pending_ == 0 && !waiting_; };
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, grace, idle)) {
            lock.unlock();
            last.context_.TryCancel();
            lock.lock();
            changed_.wait(lock, idle);
        }
        state_ = StreamState::stopped;
    }

  private:
    // One attempt. The client frees it, with the next attempt or at its own end, and never on a thread of gRPC that
    // could be the last to hold the channel then: closing the last channel of a process joins those threads.
    class Stream final : public Reactor {
      public:
        explicit Stream(BatchStreamClient& client) : client_(client) {}

        void OnReadInitialMetadataDone(bool ok) override {
            if (!ok) return client_.broke(*this);
            client_.became_ready(*this);
            this->StartRead(&in_);
        }
        void OnReadDone(bool ok) override {
            if (!ok) return client_.broke(*this);
            client_.handler_.on_batch(in_);
            this->StartRead(&in_);
        }
        void OnWriteDone(bool ok) override { client_.wrote(*this, ok); }
        void OnDone(const grpc::Status& status) override { client_.done(*this, status); }

      private:
        friend class BatchStreamClient;
        BatchStreamClient& client_;
        grpc::ClientContext context_;
        // Each is set once: an Alarm that is set again may still be in its callback.
        grpc::Alarm connect_alarm_;
        grpc::Alarm retry_alarm_;
        InBatch in_;
        OutBatch out_;
        std::atomic<bool> answered_ = false;  // the peer gave its sign of life
        // Guarded by the client's mutex.
        int pending_ = 2;     // what will still call back: the call and the connect alarm
        bool ready_ = false;  // on_ready has returned: writes may start
        bool writing_ = false;
        bool write_failed_ = false;
        bool first_pending_ = false;
        bool writes_done_ = false;
        bool dead_ = false;
    };

    // Under the mutex.
    [[nodiscard]] Result<void> admit(std::size_t items) const {
        if (state_ != StreamState::ready || stopping_) {
            return make_error(Errc::unavailable, "the stream is not connected");
        }
        if (queue_.size() + items > config_.queue_max) {
            return make_error(Errc::resource_exhausted, "too many items wait for the stream (queue_max)");
        }
        return {};
    }

    void connect() {
        auto next = std::make_unique<Stream>(*this);
        Stream& stream = *next;
        {
            const std::lock_guard lock(mutex_);
            waiting_ = false;
            if (stopping_) return changed_.notify_all();
            stream_.swap(next);
        }
        next.reset();  // the attempt before, while the new one still holds the client
        open_(&stream.context_, &stream);
        stream.AddHold();  // released by broke(): operations start outside of reactions
        stream.connect_alarm_.Set(std::chrono::system_clock::now() + config_.connect_timeout,
                                  [this, &stream](bool fired) { connect_timed_out(stream, fired); });
        stream.StartCall();
    }

    void connect_timed_out(Stream& stream, bool fired) {
        if (fired && !stream.answered_) stream.context_.TryCancel();
        const std::lock_guard lock(mutex_);
        ended(stream);
    }

    void became_ready(Stream& stream) {
        stream.answered_ = true;
        stream.connect_alarm_.Cancel();
        {
            // Items may queue up from here, but none is written before what on_ready puts first.
            const std::lock_guard lock(mutex_);
            state_ = StreamState::ready;
            backoff_ = config_.backoff_min;
        }
        handler_.on_ready(stream.out_);
        std::unique_lock lock(mutex_);
        stream.first_pending_ = stream.out_.ByteSizeLong() != 0;
        stream.ready_ = true;
        pump(stream, std::move(lock));
    }

    // Starts the next write, if there is something to write and none is under way. Releases the lock.
    void pump(Stream& stream, std::unique_lock<std::mutex> lock) {
        if (!stream.ready_ || stream.dead_ || stream.writing_ || stream.writes_done_) return;
        const bool nothing = queue_.empty() && !stream.first_pending_;
        if (nothing && !stopping_) return;
        stream.writes_done_ = nothing;
        stream.writing_ = !nothing;
        if (!nothing && !stream.first_pending_) fill_batch(stream.out_, queue_, config_);
        stream.first_pending_ = false;
        stream.AddHold();  // the stream may break, and go, before the operation is started
        lock.unlock();
        if (nothing) {
            stream.StartWritesDone();
        } else {
            stream.StartWrite(&stream.out_);
        }
        stream.RemoveHold();
    }

    void wrote(Stream& stream, bool ok) {
        std::unique_lock lock(mutex_);
        stream.writing_ = false;
        stream.write_failed_ = !ok;
        if (ok) {
            stream.out_.Clear();
            pump(stream, std::move(lock));
        } else {
            lock.unlock();
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
        const Error error = status.ok() ? make_error(Errc::unavailable, "the peer ended the stream") : to_error(status);
        handler_.on_down(error, std::move(unsent));
        const std::lock_guard lock(mutex_);
        ended(stream);
    }

    // Under the mutex. After the last callback of an attempt the next may begin.
    void ended(Stream& stream) {
        if (--stream.pending_ > 0) return;
        if (!stopping_) reconnect_later(stream);
        changed_.notify_all();
    }

    // Under the mutex.
    void reconnect_later(Stream& stream) {
        const auto base = backoff_;
        backoff_ = std::min(backoff_ * 2, config_.backoff_max);
        std::uniform_int_distribution<std::int64_t> spread(0, base.count() / 2);
        const auto delay = base / 2 + std::chrono::milliseconds(spread(jitter_));
        waiting_ = true;
        // connect() looks at stopping_, so a cancelled alarm needs nothing else.
        stream.retry_alarm_.Set(std::chrono::system_clock::now() + delay, [this](bool) { connect(); });
    }

    const Open open_;
    const BatchStreamConfig config_;
    Handler& handler_;
    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    StreamState state_ = StreamState::connecting;
    std::deque<OutItem> queue_;
    std::unique_ptr<Stream> stream_;  // the latest attempt, also when it is over
    bool waiting_ = false;            // its retry_alarm_ is set
    bool stopping_ = false;
    std::chrono::milliseconds backoff_;
    std::minstd_rand jitter_;
};

}  // namespace lanyard::rpc
