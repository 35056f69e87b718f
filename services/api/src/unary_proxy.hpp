#pragma once

#include <deque>
#include <memory>
#include <string>

#include <google/protobuf/descriptor.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/service_type.h>

#include "call_done.hpp"

namespace lanyard::api {

// Passes the unary calls of one contract on, without looking at messages: as a service of that contract whose messages
// are bytes. Through the generic StreamProxy a call would come in two parts (metadata, message), and as a stream of one
// message it would leave in three each way, each of which wakes the next process; this way it is one part each way.
//
// Deadline, metadata, status details, trailing metadata and cancellation are kept. Must outlive the server.
class UnaryProxy final : public grpc::Service {
  public:
    // `contract` must live as long as this.
    UnaryProxy(const google::protobuf::ServiceDescriptor& contract, const std::shared_ptr<grpc::Channel>& channel,
               CallDone on_done);

  private:
    void pass_on(const google::protobuf::MethodDescriptor& method);

    grpc::GenericStub stub_;
    CallDone on_done_;
    std::deque<std::string> paths_;  // gRPC keeps pointers to them
};

}  // namespace lanyard::api
