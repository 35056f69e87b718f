#include "stream_proxy.hpp"

#include <atomic>
#include <mutex>
#include <unordered_set>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include "call_metadata.hpp"
#include "rpc/status.hpp"
#include "runtime/clock.hpp"

namespace lanyard::api {
namespace {

// "/lanyard.registry.v1.DeviceService/GetDevice" -> service, method.
std::pair<std::string, std::string> split_method(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (path.empty() || path[0] != '/' || slash == 0) return {};
    return {path.substr(1, slash - 1), path.substr(slash + 1)};
}

class Call;

}  // namespace

// The calls whose server half gRPC is not done with.
class LiveCalls {
  public:
    void add(Call& call) {
        const std::lock_guard lock(mutex_);
        calls_.insert(&call);
    }
    void remove(Call& call) {
        const std::lock_guard lock(mutex_);
        calls_.erase(&call);
    }
    // None of them ends meanwhile.
    template <class Visit>
    void for_each(Visit visit) {
        const std::lock_guard lock(mutex_);
        for (Call* call : calls_) visit(*call);
    }

  private:
    std::mutex mutex_;
    std::unordered_set<Call*> calls_;
};

namespace {

// One call: the server half (this) and the client half (client_). Freed by the server half's end, which the client
// half's end brings about: until then the server's shutdown waits for it.
//
// Each direction moves one message at a time and has its own buffer. Each direction also keeps a hold on the client
// half, because its next operation is started from a callback of the server half; the lock makes "start an operation
// or find the direction closed" one step.
class Call final : public grpc::ServerGenericBidiReactor {
  public:
    Call(grpc::GenericCallbackServerContext* context, const std::shared_ptr<grpc::Channel>& channel,
         std::string service, std::string method, const CallDone& on_done, LiveCalls& live)
        : server_context_(context),
          live_(live),
          service_(std::move(service)),
          method_(std::move(method)),
          on_done_(on_done),
          stub_(channel),
          client_(*this) {
        client_context_.set_deadline(context->deadline());
        copy_metadata(context->client_metadata(),
                      [this](std::string key, std::string value) { client_context_.AddMetadata(key, value); });
        stub_.PrepareBidiStreamingCall(&client_context_, context->method(), {}, &client_);
        live_.add(*this);
        client_.AddMultipleHolds(2);
        client_.StartRead(&to_user_);
        client_.StartCall();
        StartRead(&to_backend_);
    }

    void OnReadDone(bool ok) override {
        const std::lock_guard lock(mutex_);
        if (!uplink_open_) return;
        if (ok) {
            client_.StartWrite(&to_backend_);
        } else {
            client_.StartWritesDone();
            close(uplink_open_);
        }
    }
    void OnWriteDone(bool ok) override {
        written_at_.store(SteadyTime::max(), std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        if (ok) {
            client_.StartRead(&to_user_);
        } else {
            client_context_.TryCancel();
            close(downlink_open_);
            close(uplink_open_);
        }
    }
    void OnCancel() override { client_context_.TryCancel(); }
    void OnDone() override {
        live_.remove(*this);
        delete this;
    }

    // Through LiveCalls only: gRPC's context lives while the call is in there.
    void cut_if_slow(SteadyTime since) {
        if (written_at_.load(std::memory_order_relaxed) < since) server_context_->TryCancel();
    }

  private:
    // The call to the backend.
    class ClientHalf final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
      public:
        explicit ClientHalf(Call& call) : call_(call) {}
        void OnReadInitialMetadataDone(bool ok) override {
            if (ok) call_.copy_initial_metadata();
        }
        void OnReadDone(bool ok) override {
            if (ok) {
                call_.written_at_.store(runtime::steady_now(), std::memory_order_relaxed);
                call_.StartWrite(&call_.to_user_);
            } else {
                call_.backend_ended();
            }
        }
        void OnWriteDone(bool ok) override {
            if (ok) call_.StartRead(&call_.to_backend_);
        }
        void OnDone(const grpc::Status& status) override { call_.finish(status); }

      private:
        Call& call_;
    };

    void copy_initial_metadata() {
        copy_metadata(client_context_.GetServerInitialMetadata(),
                      [this](std::string key, std::string value) { server_context_->AddInitialMetadata(key, value); });
    }

    // No message follows from the backend: what the user still sends has nowhere to go.
    void backend_ended() {
        const std::lock_guard lock(mutex_);
        close(downlink_open_);
        close(uplink_open_);
    }

    void close(bool& direction_open) {
        if (std::exchange(direction_open, false)) client_.RemoveHold();
    }

    // A service cancels only calls whose client did not even take the end of a stream that was cut.
    [[nodiscard]] grpc::Status status_for_user(const grpc::Status& status) const {
        if (status.error_code() != grpc::StatusCode::CANCELLED || server_context_->IsCancelled()) return status;
        return rpc::to_status(make_error(Errc::resource_exhausted, "the client reads too slowly"),
                              {.reason = "SLOW_CONSUMER", .metadata = {}, .fields = {}, .retry_after = {}});
    }

    void finish(const grpc::Status& from_backend) {
        const grpc::Status status = status_for_user(from_backend);
        copy_metadata(client_context_.GetServerTrailingMetadata(),
                      [this](std::string key, std::string value) { server_context_->AddTrailingMetadata(key, value); });
        on_done_(service_, method_, status.error_code(), runtime::steady_now() - began_);
        Finish(status);  // this may be gone when it returns
    }

    grpc::GenericCallbackServerContext* server_context_;
    LiveCalls& live_;
    std::string service_;
    std::string method_;
    const CallDone& on_done_;
    const SteadyTime began_ = runtime::steady_now();
    grpc::GenericStub stub_;
    grpc::ClientContext client_context_;
    ClientHalf client_;
    grpc::ByteBuffer to_backend_;
    grpc::ByteBuffer to_user_;
    std::mutex mutex_;
    bool uplink_open_ = true;                                // user to backend
    bool downlink_open_ = true;                              // backend to user
    std::atomic<SteadyTime> written_at_{SteadyTime::max()};  // the message that the user has not taken yet
};

// Ends a call that has no route.
class Refusal final : public grpc::ServerGenericBidiReactor {
  public:
    explicit Refusal(const grpc::Status& status) { Finish(status); }
    void OnDone() override { delete this; }
};

}  // namespace

StreamProxy::StreamProxy(std::map<std::string, std::shared_ptr<grpc::Channel>> routes, CallDone on_done)
    : live_(std::make_unique<LiveCalls>()), routes_(std::move(routes)), on_done_(std::move(on_done)) {}

StreamProxy::~StreamProxy() = default;

void StreamProxy::cut_slow(SteadyTime since) {
    live_->for_each([since](Call& call) { call.cut_if_slow(since); });
}

grpc::ServerGenericBidiReactor* StreamProxy::CreateReactor(grpc::GenericCallbackServerContext* context) {
    auto [service, method] = split_method(context->method());
    const auto route = routes_.find(service);
    if (route == routes_.end()) {
        return new Refusal(rpc::to_status(
            make_error(Errc::unsupported, "no public service \"" + service + "\"; reflection lists those there are"),
            {.reason = "UNKNOWN_SERVICE", .metadata = {}, .fields = {}, .retry_after = {}}));
    }
    return new Call(context, route->second, std::move(service), std::move(method), on_done_, *live_);
}

}  // namespace lanyard::api
