#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "api/service.hpp"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "lanyard/internal/v1/registration.grpc.pb.h"
#include "lanyard/observation/v1/observation.grpc.pb.h"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "rpc/server.hpp"
#include "rpc/status.hpp"
#include "runtime/health.hpp"
#include "runtime/socket_address.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::api {
namespace {

using namespace std::chrono_literals;
namespace device = registry::v1;

// A backend that answers in ways the test can tell apart.
class FakeRegistry final : public device::DeviceService::CallbackService {
  public:
    grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context, const device::GetDeviceRequest* request,
                                        device::Device* response) override {
        auto* reactor = context->DefaultReactor();
        const auto trace = context->client_metadata().find("traceparent");
        if (trace != context->client_metadata().end()) {
            response->set_display_name(std::string(trace->second.data(), trace->second.size()));
        }
        const auto left = context->deadline() - std::chrono::system_clock::now();
        response->set_device_number(left < 1h ? 1 : 2);
        response->set_name(request->name());
        context->AddTrailingMetadata("x-backend", "one");
        if (request->name() == "missing") {
            reactor->Finish(
                rpc::to_status(make_error(Errc::not_found, "no such device"),
                               {.reason = "DEVICE_UNKNOWN", .metadata = {}, .fields = {}, .retry_after = {}}));
        } else {
            reactor->Finish(grpc::Status::OK);
        }
        return reactor;
    }

    // Never answers; ends when the caller goes away.
    grpc::ServerUnaryReactor* DeleteDevice(grpc::CallbackServerContext*, const device::DeleteDeviceRequest*,
                                           google::protobuf::Empty*) override {
        class Silent final : public grpc::ServerUnaryReactor {
          public:
            explicit Silent(FakeRegistry& registry) : registry_(registry) { registry_.delete_began.set_value(); }
            void OnCancel() override { Finish(grpc::Status::CANCELLED); }
            void OnDone() override {
                registry_.delete_done.set_value();
                delete this;
            }

          private:
            FakeRegistry& registry_;
        };
        return new Silent(*this);
    }

    // Streams for ever, until the caller goes away.
    grpc::ServerWriteReactor<device::WatchDevicesResponse>* WatchDevices(grpc::CallbackServerContext*,
                                                                         const device::WatchDevicesRequest*) override {
        class Endless final : public grpc::ServerWriteReactor<device::WatchDevicesResponse> {
          public:
            explicit Endless(std::promise<void>& done) : done_(done) { next(); }
            void OnWriteDone(bool ok) override { ok ? next() : Finish(grpc::Status::CANCELLED); }
            void OnDone() override {
                done_.set_value();
                delete this;
            }

          private:
            void next() {
                message_.set_resume_token(std::to_string(++count_));
                message_.mutable_device()->set_display_name(std::string(10000, 'x'));
                StartWrite(&message_);
            }
            std::promise<void>& done_;
            device::WatchDevicesResponse message_;
            int count_ = 0;
        };
        return new Endless(watch_done);
    }

    std::promise<void> delete_began;
    std::promise<void> delete_done;
    std::promise<void> watch_done;
};

class ApiProxy : public ::testing::Test {
  protected:
    void SetUp() override {
        grpc::Service* services[] = {&registry_};
        backend_ = rpc::Server::start({}, services).value();
        Config config;
        config.grpc_listen = Address::v4(0x7f000001, 0);
        config.registry_target = backend_->address();
        config.observation_target = "127.0.0.1:1";  // nobody listens
        config.write_deadline = 1s;
        service_ = make_service(config, {log_, metrics_, health_}).value();
        ASSERT_TRUE(service_->start());
        const Address address = service_->ports().at(0).address;
        channel_ = grpc::CreateChannel(runtime::to_string(address), grpc::InsecureChannelCredentials());
    }
    void TearDown() override {
        service_->drain(runtime::Deadline::in(5s));
        backend_->shutdown(0ms);
    }
    // A call is counted once its answer has left.
    bool will_expose(const std::string& sample) {
        for (int tries = 0; tries < 500; ++tries) {
            if (metrics_.expose().find(sample) != std::string::npos) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    FakeRegistry registry_;
    std::unique_ptr<rpc::Server> backend_;
    telemetry::Logger log_{"api", {.level = telemetry::Level::off, .format = telemetry::LogFormat::text}};
    telemetry::MetricRegistry metrics_;
    runtime::HealthBoard health_;
    std::unique_ptr<runtime::Service> service_;
    std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(ApiProxy, PassesUnaryCallsWithMetadataAndDeadline) {
    const auto stub = device::DeviceService::NewStub(channel_);
    grpc::ClientContext context;
    context.AddMetadata("traceparent", "00-abc");
    context.set_deadline(std::chrono::system_clock::now() + 10s);
    device::GetDeviceRequest request;
    request.set_name("tenants/default/devices/one");
    device::Device response;
    const grpc::Status status = stub->GetDevice(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.name(), request.name());
    EXPECT_EQ(response.display_name(), "00-abc");
    EXPECT_EQ(response.device_number(), 1u) << "the deadline did not reach the backend";
    EXPECT_EQ(context.GetServerTrailingMetadata().count("x-backend"), 1u);
}

TEST_F(ApiProxy, PassesTheCancelOfAUnaryCall) {
    const auto stub = device::DeviceService::NewStub(channel_);
    grpc::ClientContext context;
    std::thread user([this, &context] {
        EXPECT_EQ(registry_.delete_began.get_future().wait_for(10s), std::future_status::ready);
        context.TryCancel();
    });
    google::protobuf::Empty response;
    EXPECT_EQ(stub->DeleteDevice(&context, {}, &response).error_code(), grpc::StatusCode::CANCELLED);
    user.join();
    EXPECT_EQ(registry_.delete_done.get_future().wait_for(10s), std::future_status::ready) << "the backend goes on";
    EXPECT_TRUE(will_expose("{grpc_code=\"CANCELLED\",grpc_method=\"DeleteDevice\",")) << metrics_.expose();
}

TEST_F(ApiProxy, KeepsStatusDetails) {
    const auto stub = device::DeviceService::NewStub(channel_);
    grpc::ClientContext context;
    device::GetDeviceRequest request;
    request.set_name("missing");
    device::Device response;
    const grpc::Status status = stub->GetDevice(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    const auto details = rpc::details_of(status);
    ASSERT_TRUE(details);
    EXPECT_EQ(details->reason, "DEVICE_UNKNOWN");
}

TEST_F(ApiProxy, CountsCallsByTheirStatus) {
    const auto stub = device::DeviceService::NewStub(channel_);
    grpc::ClientContext context;
    device::GetDeviceRequest request;
    request.set_name("missing");
    device::Device response;
    EXPECT_EQ(stub->GetDevice(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_TRUE(will_expose("{grpc_code=\"NOT_FOUND\",grpc_method=\"GetDevice\",")) << metrics_.expose();
    EXPECT_TRUE(will_expose("grpc_server_handling_seconds_count{")) << metrics_.expose();
}

TEST_F(ApiProxy, PassesStreamsAndTheCallersCancel) {
    const auto stub = device::DeviceService::NewStub(channel_);
    grpc::ClientContext context;
    const auto reader = stub->WatchDevices(&context, {});
    device::WatchDevicesResponse response;
    for (int i = 1; i <= 100; ++i) {
        ASSERT_TRUE(reader->Read(&response));
        EXPECT_EQ(response.resume_token(), std::to_string(i));
    }
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
    EXPECT_EQ(registry_.watch_done.get_future().wait_for(10s), std::future_status::ready) << "the backend goes on";
}

TEST_F(ApiProxy, AUserWhoDoesNotReadLosesTheCall) {
    // Takes no more than a window of what it does not read.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    const auto stub = device::DeviceService::NewStub(grpc::CreateCustomChannel(
        runtime::to_string(service_->ports().at(0).address), grpc::InsecureChannelCredentials(), arguments));
    grpc::ClientContext context;
    const auto reader = stub->WatchDevices(&context, {});
    device::WatchDevicesResponse response;
    ASSERT_TRUE(reader->Read(&response));
    ASSERT_EQ(registry_.watch_done.get_future().wait_for(20s), std::future_status::ready) << "the backend goes on";
    while (reader->Read(&response)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ApiProxy, AnswersUnavailableWhenTheBackendIsGone) {
    const auto stub = observation::v1::ObservationService::NewStub(channel_);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 10s);
    observation::v1::Observation response;
    const grpc::Status status = stub->GetObservation(&context, {}, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ApiProxy, AnswersUnimplementedForAServiceThatIsNotPublic) {
    const auto stub = internal::v1::RegistrationService::NewStub(channel_);
    grpc::ClientContext context;
    const auto stream = stub->Exchange(&context);
    internal::v1::RegistrationResultBatch batch;
    EXPECT_FALSE(stream->Read(&batch));
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ApiProxy, ReflectsThePublicServicesOnly) {
    namespace reflection = grpc::reflection::v1;
    const auto stub = reflection::ServerReflection::NewStub(channel_);
    grpc::ClientContext context;
    const auto stream = stub->ServerReflectionInfo(&context);
    reflection::ServerReflectionRequest request;
    request.set_list_services("");
    ASSERT_TRUE(stream->Write(request));
    reflection::ServerReflectionResponse response;
    ASSERT_TRUE(stream->Read(&response));
    std::vector<std::string> names;
    for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
    EXPECT_EQ(names, (std::vector<std::string>{"lanyard.registry.v1.DeviceService",
                                               "lanyard.operations.v1.DeviceOperationService",
                                               "lanyard.observation.v1.ObservationService"}));
    request.set_file_containing_symbol("lanyard.registry.v1.DeviceService");
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_GE(response.file_descriptor_response().file_descriptor_proto_size(), 4) << "imports are missing";
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace lanyard::api
