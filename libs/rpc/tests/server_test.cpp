#include "rpc/server.hpp"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <lanyard/internal/v1/registration.grpc.pb.h>
#include <lanyard/registry/v1/device.grpc.pb.h>

#include "telemetry/metrics.hpp"

namespace lanyard::rpc {
namespace {

using std::chrono::milliseconds;

class RpcServer : public ::testing::Test {
  protected:
    Result<std::unique_ptr<Server>> start(const ServerConfig& config) {
        grpc::Service* const services[] = {&service_};
        return Server::start(config, services);
    }
    internal::v1::RegistrationService::CallbackService service_;
};

TEST_F(RpcServer, TakesAFreePort) {
    const auto server = start({}).value();
    EXPECT_NE(server->port(), 0);
    EXPECT_EQ(server->address(), "127.0.0.1:" + std::to_string(server->port()));
}

TEST_F(RpcServer, SaysWhenThePortIsTaken) {
    const auto first = start({}).value();
    const auto second = start({.listen = first->address()});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::unavailable);
}

TEST_F(RpcServer, RefusesAnAddressWithoutAPort) {
    const auto server = start({.listen = "localhost"});
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, Errc::invalid_argument);
}

TEST_F(RpcServer, ShutsDownTwice) {
    const auto server = start({}).value();
    server->set_serving(true);
    server->shutdown(milliseconds(0));
    server->shutdown(milliseconds(0));
}

// Refuses one method, and leaves the others as they are: unimplemented.
class PublicService final : public registry::v1::DeviceService::CallbackService {
    grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context,
                                        const registry::v1::GetDeviceRequest* /*request*/,
                                        registry::v1::Device* /*response*/) override {
        auto* reactor = context->DefaultReactor();
        reactor->Finish({grpc::StatusCode::NOT_FOUND, "no"});
        return reactor;
    }
};

TEST(RpcCallMetrics, CountThePublicCallsByTheNameOfTheirCode) {
    telemetry::MetricRegistry metrics;
    PublicService service;
    internal::v1::RegistrationService::CallbackService inner;
    grpc::Service* const services[] = {&service, &inner};
    auto server = Server::start({.metrics = &metrics}, services).value();
    const auto channel = server->in_process_channel();
    {
        grpc::ClientContext context;
        registry::v1::Device device;
        (void)registry::v1::DeviceService::NewStub(channel)->GetDevice(&context, {}, &device);
        grpc::ClientContext other;
        const auto stream = internal::v1::RegistrationService::NewStub(channel)->Exchange(&other);
        (void)stream->Finish();
    }
    server->shutdown(milliseconds(0));
    server.reset();
    const std::string text = metrics.expose();
    EXPECT_THAT(text, testing::HasSubstr("grpc_server_handled_total{grpc_code=\"NOT_FOUND\",grpc_method=\"GetDevice\","
                                         "grpc_service=\"lanyard.registry.v1.DeviceService\"} 1\n"));
    EXPECT_THAT(text, testing::HasSubstr("grpc_server_handling_seconds_count{grpc_method=\"GetDevice\","
                                         "grpc_service=\"lanyard.registry.v1.DeviceService\"} 1\n"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("lanyard.internal")));
}

}  // namespace
}  // namespace lanyard::rpc
