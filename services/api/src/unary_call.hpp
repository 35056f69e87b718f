#pragma once

#include <functional>
#include <memory>
#include <string>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>

namespace lanyard::api {

// Passes one unary call on. As a stream of one message it would leave in three parts each way (metadata, message, end),
// each of which wakes the next process; this way it is one part each way.
class UnaryCall final : public grpc::ServerGenericBidiReactor {
  public:
    using Told = std::function<void(grpc::StatusCode code)>;

    // Deletes itself when gRPC is done with it; `told` is called once before, when the user has been answered.
    UnaryCall(grpc::GenericCallbackServerContext* context, const std::shared_ptr<grpc::Channel>& channel, Told told);

    void OnReadDone(bool ok) override;
    void OnCancel() override { client_context_.TryCancel(); }
    void OnDone() override;

  private:
    void answered(const grpc::Status& status);

    grpc::GenericCallbackServerContext* server_context_;
    Told told_;
    grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
    grpc::GenericStub stub_;
    grpc::ClientContext client_context_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
};

}  // namespace lanyard::api
