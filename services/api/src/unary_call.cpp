#include "unary_call.hpp"

#include <utility>

#include <grpcpp/channel.h>

#include "call_metadata.hpp"

namespace lanyard::api {

UnaryCall::UnaryCall(grpc::GenericCallbackServerContext* context, const std::shared_ptr<grpc::Channel>& channel,
                     Told told)
    : server_context_(context), told_(std::move(told)), stub_(channel) {
    client_context_.set_deadline(context->deadline());
    copy_metadata(context->client_metadata(),
                  [this](std::string key, std::string value) { client_context_.AddMetadata(key, value); });
    StartRead(&request_);
}

void UnaryCall::OnReadDone(bool ok) {
    if (!ok) return answered(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the call carries no message"));
    stub_.UnaryCall(
        &client_context_, server_context_->method(), {}, &request_, &response_, [this](const grpc::Status& status) {
            copy_metadata(client_context_.GetServerInitialMetadata(), [this](std::string key, std::string value) {
                server_context_->AddInitialMetadata(key, value);
            });
            copy_metadata(client_context_.GetServerTrailingMetadata(), [this](std::string key, std::string value) {
                server_context_->AddTrailingMetadata(key, value);
            });
            answered(status);
        });
}

// gRPC may be done with the call, and the call gone, as soon as its end has been started.
void UnaryCall::answered(const grpc::Status& status) {
    code_ = status.error_code();
    if (status.ok()) {
        StartWriteAndFinish(&response_, grpc::WriteOptions(), status);
    } else {
        Finish(status);
    }
}

void UnaryCall::OnDone() {
    told_(code_);
    delete this;
}

}  // namespace lanyard::api
