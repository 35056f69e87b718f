#include "unary_proxy.hpp"

#include <utility>

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/server_callback.h>

#include "call_metadata.hpp"
#include "runtime/clock.hpp"

namespace lanyard::api {
namespace {

using google::protobuf::MethodDescriptor;

// One call; frees itself when gRPC is done with it.
class Call final : public grpc::ServerUnaryReactor {
  public:
    Call(grpc::GenericStub& stub, const MethodDescriptor& method, const std::string& path, const CallDone& on_done,
         grpc::CallbackServerContext& context, const grpc::ByteBuffer& request, grpc::ByteBuffer& response)
        : method_(method), on_done_(on_done), server_context_(context) {
        client_context_.set_deadline(context.deadline());
        copy_metadata(context.client_metadata(),
                      [this](std::string key, std::string value) { client_context_.AddMetadata(key, value); });
        stub.UnaryCall(&client_context_, path, {}, &request, &response,
                       [this](const grpc::Status& status) { answered(status); });
    }

    void OnCancel() override { client_context_.TryCancel(); }
    void OnDone() override {
        on_done_(method_.service()->full_name(), method_.name(), code_, took_);
        delete this;
    }

  private:
    void answered(const grpc::Status& status) {
        copy_metadata(client_context_.GetServerInitialMetadata(),
                      [this](std::string key, std::string value) { server_context_.AddInitialMetadata(key, value); });
        copy_metadata(client_context_.GetServerTrailingMetadata(),
                      [this](std::string key, std::string value) { server_context_.AddTrailingMetadata(key, value); });
        code_ = status.error_code();
        took_ = runtime::steady_now() - began_;
        Finish(status);  // this may be gone when it returns
    }

    const MethodDescriptor& method_;
    const CallDone& on_done_;
    grpc::CallbackServerContext& server_context_;
    const SteadyTime began_ = runtime::steady_now();
    grpc::ClientContext client_context_;
    grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
    Duration took_{};
};

}  // namespace

UnaryProxy::UnaryProxy(const google::protobuf::ServiceDescriptor& contract,
                       const std::shared_ptr<grpc::Channel>& channel, CallDone on_done)
    : stub_(channel), on_done_(std::move(on_done)) {
    for (int i = 0; i < contract.method_count(); ++i) {
        const MethodDescriptor& method = *contract.method(i);
        if (!method.client_streaming() && !method.server_streaming()) pass_on(method);
    }
}

// What generated code does for a method whose messages are left as bytes (WithRawCallbackMethod_...).
void UnaryProxy::pass_on(const MethodDescriptor& method) {
    const int index = static_cast<int>(paths_.size());
    const std::string& path = paths_.emplace_back("/" + method.service()->full_name() + "/" + method.name());
    using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
    AddMethod(new grpc::internal::RpcServiceMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        index, new Handler([this, &method, &path](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
            return new Call(stub_, method, path, on_done_, *context, *request, *response);
        }));
}

}  // namespace lanyard::api
