#include "stream_writer.hpp"

namespace lanyard::observation {

// Lives until gRPC is done with the call. gRPC calls OnDone only after Finish, which is called once.
class StreamWriter::Reactor final : public grpc::ServerWriteReactor<Response> {
  public:
    explicit Reactor(std::shared_ptr<StreamWriter> writer) : writer_(std::move(writer)) {}
    void OnWriteDone(bool ok) override { writer_->on_write_done(ok); }
    void OnCancel() override { writer_->on_cancel(); }
    void OnDone() override {
        writer_->on_done();
        delete this;
    }

  private:
    std::shared_ptr<StreamWriter> writer_;
};

grpc::ServerWriteReactor<StreamWriter::Response>* StreamWriter::reactor() {
    const std::lock_guard lock(mutex_);
    reactor_ = new Reactor(shared_from_this());  // deletes itself in OnDone
    return reactor_;
}

StreamWriter::Action StreamWriter::next_locked() {
    if (writing_ || finished_) return {};
    const bool drop = cancelled_ || (finishing_ && !status_.ok());
    if (!queue_.empty() && !drop) {
        writing_ = true;
        return {&queue_.front(), false};
    }
    if (cancelled_ || finishing_) {
        finished_ = true;
        return {nullptr, true};
    }
    return {};
}

// Without the lock: gRPC may call back before it returns.
void StreamWriter::run(const Action& action) {
    if (action.write != nullptr) reactor_->StartWrite(action.write);
    if (action.finish) reactor_->Finish(status_);
}

StreamWriter::Push StreamWriter::push(Response response, Duration limit) {
    Action action;
    {
        std::unique_lock lock(mutex_);
        const bool room =
            changed_.wait_for(lock, limit, [this] { return cancelled_ || finishing_ || queue_.size() < queue_max_; });
        if (cancelled_ || finishing_) return Push::closed;
        if (!room) return Push::slow;
        queue_.push_back(std::move(response));
        action = next_locked();
    }
    run(action);
    return Push::taken;
}

void StreamWriter::finish(const grpc::Status& status) {
    Action action;
    {
        const std::lock_guard lock(mutex_);
        if (finishing_) return;
        finishing_ = true;
        status_ = status;
        if (!status.ok() && !queue_.empty()) queue_.erase(queue_.begin() + (writing_ ? 1 : 0), queue_.end());
        action = next_locked();
    }
    changed_.notify_all();
    run(action);
}

void StreamWriter::await_end(Duration grace) {
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, grace, [this] { return done_ || hurry_; });
    // Under the lock, which on_done() needs: the context lives until then.
    if (!done_) context_->TryCancel();
    changed_.wait(lock, [this] { return done_; });
}

void StreamWriter::hurry() {
    {
        const std::lock_guard lock(mutex_);
        hurry_ = true;
    }
    changed_.notify_all();
}

bool StreamWriter::closed() const {
    const std::lock_guard lock(mutex_);
    return cancelled_ || finishing_;
}

void StreamWriter::on_write_done(bool ok) {
    Action action;
    {
        const std::lock_guard lock(mutex_);
        writing_ = false;
        queue_.pop_front();
        cancelled_ = cancelled_ || !ok;
        action = next_locked();
    }
    changed_.notify_all();
    run(action);
}

void StreamWriter::on_cancel() {
    Action action;
    {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
        action = next_locked();
    }
    changed_.notify_all();
    run(action);
}

void StreamWriter::on_done() {
    // Told under the lock: whoever waits may be the last to hold this.
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
}

}  // namespace lanyard::observation
