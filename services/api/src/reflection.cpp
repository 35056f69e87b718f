#include "reflection.hpp"

#include <set>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace lanyard::api {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// Adds the file and all that it imports, each once; imports of imports are bounded by the files linked in.
void add_with_imports(const FileDescriptor* first, std::vector<std::string>& serialized) {
    std::set<const FileDescriptor*> seen{first};
    std::vector<const FileDescriptor*> waiting{first};
    while (!waiting.empty()) {
        const FileDescriptor* file = waiting.back();
        waiting.pop_back();
        google::protobuf::FileDescriptorProto message;
        file->CopyTo(&message);
        file->CopyJsonNameTo(&message);
        serialized.push_back(message.SerializeAsString());
        for (int i = 0; i < file->dependency_count(); ++i) {
            if (seen.insert(file->dependency(i)).second) waiting.push_back(file->dependency(i));
        }
    }
}

// The two versions of the protocol have the same messages in different packages.
template <class Request, class Response>
void answer(const Request& request, const std::vector<std::string>& services, Response& response) {
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    const DescriptorPool* pool = DescriptorPool::generated_pool();
    const FileDescriptor* file = nullptr;
    switch (request.message_request_case()) {
        case Request::kListServices:
            for (const std::string& name : services) {
                response.mutable_list_services_response()->add_service()->set_name(name);
            }
            return;
        case Request::kFileByFilename:
            file = pool->FindFileByName(request.file_by_filename());
            break;
        case Request::kFileContainingSymbol:
            file = pool->FindFileContainingSymbol(request.file_containing_symbol());
            break;
        default:
            break;  // extensions: none of the contracts has any
    }
    if (file == nullptr) {
        response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
        response.mutable_error_response()->set_error_message("not known to this server");
        return;
    }
    std::vector<std::string> serialized;
    add_with_imports(file, serialized);
    for (std::string& bytes : serialized) {
        response.mutable_file_descriptor_response()->add_file_descriptor_proto(std::move(bytes));
    }
}

template <class Base, class Request, class Response>
class Reflection final : public Base {
  public:
    explicit Reflection(std::vector<std::string> services) : services_(std::move(services)) {}

    grpc::ServerBidiReactor<Request, Response>* ServerReflectionInfo(grpc::CallbackServerContext*) override {
        return new Stream(services_);
    }

  private:
    class Stream final : public grpc::ServerBidiReactor<Request, Response> {
      public:
        explicit Stream(const std::vector<std::string>& services) : services_(services) { this->StartRead(&request_); }
        void OnReadDone(bool ok) override {
            if (!ok) return this->Finish(grpc::Status::OK);
            response_.Clear();
            answer(request_, services_, response_);
            this->StartWrite(&response_);
        }
        void OnWriteDone(bool ok) override {
            if (!ok) return this->Finish(grpc::Status::CANCELLED);
            this->StartRead(&request_);
        }
        void OnDone() override { delete this; }

      private:
        const std::vector<std::string>& services_;
        Request request_;
        Response response_;
    };

    std::vector<std::string> services_;
};

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using ReflectionV1 =
    Reflection<v1::ServerReflection::CallbackService, v1::ServerReflectionRequest, v1::ServerReflectionResponse>;
using ReflectionV1alpha = Reflection<v1alpha::ServerReflection::CallbackService, v1alpha::ServerReflectionRequest,
                                     v1alpha::ServerReflectionResponse>;

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> make_reflection(std::vector<std::string> services) {
    std::vector<std::unique_ptr<grpc::Service>> made;
    made.push_back(std::make_unique<ReflectionV1>(services));
    made.push_back(std::make_unique<ReflectionV1alpha>(std::move(services)));
    return made;
}

}  // namespace lanyard::api
