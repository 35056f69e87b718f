#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include "base/time.hpp"
#include "lanyard/observation/v1/observation.grpc.pb.h"

namespace lanyard::observation {

// The sending end of one StreamValues call: a bounded queue between the thread that reads Kafka and gRPC, which takes
// one message at a time. Thread-safe; lives as long as either side holds it.
//
// A client that does not read holds the message under way, and with it the end of the call: await_end() bounds that.
class StreamWriter : public std::enable_shared_from_this<StreamWriter> {
  public:
    using Response = v1::StreamValuesResponse;
    enum class Push : std::uint8_t { taken, slow, closed };

    StreamWriter(grpc::CallbackServerContext* context, std::size_t queue_max)
        : context_(context), queue_max_(queue_max) {}

    // The reactor to give to gRPC; once.
    [[nodiscard]] grpc::ServerWriteReactor<Response>* reactor();
    // Waits for room up to `limit`.
    Push push(Response response, Duration limit);
    // Ends the call: after what is queued when the status is OK, else as soon as the message under way is out.
    void finish(const grpc::Status& status);
    // After finish(): waits until the client has taken the end. One that has not within `grace`, or when told to hurry,
    // loses the call: it sees CANCELLED instead of the status.
    void await_end(Duration grace);
    void hurry();
    // The client is gone, or finish() was called.
    [[nodiscard]] bool closed() const;

  private:
    class Reactor;
    // What to do after the lock is released.
    struct Action {
        const Response* write = nullptr;
        bool finish = false;
    };
    [[nodiscard]] Action next_locked();
    void run(const Action& action);
    void on_write_done(bool ok);
    void on_cancel();
    void on_done();

    grpc::CallbackServerContext* const context_;  // until `done_`
    const std::size_t queue_max_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Response> queue_;  // the front one is being written when `writing_`
    Reactor* reactor_ = nullptr;
    bool writing_ = false;
    bool cancelled_ = false;
    bool finishing_ = false;
    bool finished_ = false;
    bool hurry_ = false;
    bool done_ = false;
    grpc::Status status_;
};

}  // namespace lanyard::observation
