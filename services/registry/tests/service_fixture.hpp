#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "kafka/mock_cluster.hpp"
#include "lanyard/internal/v1/downlink.grpc.pb.h"
#include "lanyard/internal/v1/registration.grpc.pb.h"
#include "lanyard/operations/v1/operation.grpc.pb.h"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "registry/service.hpp"
#include "rpc/batch_stream_client.hpp"
#include "rpc/batch_stream_server.hpp"
#include "rpc/channel_pool.hpp"
#include "rpc/server.hpp"
#include "runtime/clock.hpp"
#include "runtime/service.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::registry {

using namespace std::chrono_literals;
inline constexpr auto kPatience = 15s;
inline constexpr std::string_view kClusterKeyHex = "000102030405060708090a0b0c0d0e0f";
inline constexpr SipKey kClusterKey{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// An ingress process: registers devices and answers requests to them.
class FakeIngress final : public internal::v1::DownlinkService::CallbackService {
    using Registrations =
        rpc::BatchStreamClient<internal::v1::RegistrationBatch, internal::v1::RegistrationResultBatch>;
    using Downlinks = rpc::BatchStreamServer<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>;

  public:
    using Device = std::function<void(const internal::v1::DownlinkRequest&, internal::v1::DownlinkResult&)>;

    FakeIngress(std::string instance, const std::string& registry) : instance_(std::move(instance)), handler_(*this) {
        grpc::Service* const services[] = {this};
        server_ = std::move(*rpc::Server::start({}, services));
        stub_ = internal::v1::RegistrationService::NewStub(rpc::make_channel(registry));
        stream_ = std::make_unique<Registrations>(
            [stub = stub_](auto* context, auto* reactor) { stub->async()->Exchange(context, reactor); },
            rpc::BatchStreamConfig{}, handler_);
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return node_ != 0; }));
    }
    ~FakeIngress() override {
        stream_.reset();
        server_->shutdown(0ms);
    }

    // What every device of this ingress answers; without it, nothing.
    void set_device(Device device) {
        const std::lock_guard lock(mutex_);
        device_ = std::move(device);
    }
    internal::v1::RegistrationResult call(internal::v1::RegistrationCommand command) {
        std::unique_lock lock(mutex_);
        const std::uint64_t id = ++last_id_;
        command.set_id(id);
        lock.unlock();
        EXPECT_TRUE(stream_->send(std::move(command)));
        lock.lock();
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return results_.contains(id); }));
        return results_[id];
    }
    internal::v1::RegistrationResult register_device(const std::string& endpoint, bool queue_mode = false,
                                                     UnixMillis at = runtime::now().wall_ms) {
        internal::v1::RegistrationCommand command;
        auto& in = *command.mutable_register_();
        in.set_tenant("default");
        in.set_endpoint(endpoint);
        in.mutable_parameters()->set_lifetime_s(300);
        in.mutable_parameters()->set_lwm2m_version("1.1");
        in.mutable_parameters()->set_queue_mode(queue_mode);
        in.mutable_parameters()->set_object_links("</3/0>,</3303/0>");
        in.set_remote_address("127.0.0.1:1");
        in.set_received_ms(at);
        return call(std::move(command));
    }
    internal::v1::Fenced wait_for_fence() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return !fenced_.empty(); }));
        return fenced_.empty() ? internal::v1::Fenced() : fenced_.back();
    }
    std::uint32_t node() const { return node_; }
    const std::string& address() const { return server_->address(); }

    grpc::ServerBidiReactor<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>* Exchange(
        grpc::CallbackServerContext* context) override {
        return Downlinks::create(context, {}, std::make_shared<DownlinkHandler>(*this))->reactor();
    }

  private:
    class Handler final : public Registrations::Handler {
      public:
        explicit Handler(FakeIngress& owner) : owner_(owner) {}
        void on_ready(internal::v1::RegistrationBatch& first) override {
            first.mutable_hello()->set_instance(owner_.instance_);
            first.mutable_hello()->set_downlink_address(owner_.server_->address());
            first.mutable_hello()->set_node(owner_.node_);
        }
        void on_batch(internal::v1::RegistrationResultBatch& batch) override {
            const std::lock_guard lock(owner_.mutex_);
            if (batch.has_welcome()) owner_.node_ = batch.welcome().node();
            for (const auto& result : batch.results()) owner_.results_[result.id()] = result;
            for (const auto& fenced : batch.fenced()) owner_.fenced_.push_back(fenced);
            owner_.changed_.notify_all();
        }
        void on_down(const Error&, std::vector<internal::v1::RegistrationCommand>) override {}

      private:
        FakeIngress& owner_;
    };
    class DownlinkHandler final : public Downlinks::Handler {
      public:
        explicit DownlinkHandler(FakeIngress& owner) : owner_(owner) {}
        void on_open(const std::shared_ptr<Downlinks>& stream) override { stream_ = stream; }
        bool on_batch(internal::v1::DownlinkBatch& batch) override {
            for (const auto& request : batch.requests()) {
                internal::v1::DownlinkResult result;
                result.set_id(request.id());
                result.set_outcome(internal::v1::DownlinkResult::OUTCOME_ANSWERED);
                const std::lock_guard lock(owner_.mutex_);
                if (!owner_.device_) continue;
                owner_.device_(request, result);
                if (const auto stream = stream_.lock()) (void)stream->send(std::move(result));
            }
            return true;
        }
        void on_client_done() override {
            if (const auto stream = stream_.lock()) stream->finish();
        }
        void on_closed() override {}

      private:
        FakeIngress& owner_;
        std::weak_ptr<Downlinks> stream_;
    };

    const std::string instance_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint32_t node_ = 0;
    std::uint64_t last_id_ = 0;
    Device device_;
    std::map<std::uint64_t, internal::v1::RegistrationResult> results_;
    std::vector<internal::v1::Fenced> fenced_;
    Handler handler_;
    std::unique_ptr<rpc::Server> server_;
    std::shared_ptr<internal::v1::RegistrationService::Stub> stub_;
    std::unique_ptr<Registrations> stream_;
};

// One replica of the registry with its clients.
class Replica {
  public:
    Replica(const std::string& instance, const kafka::MockCluster& kafka, std::shared_ptr<MemoryDevices> devices,
            const std::function<void(Config&)>& change = {})
        : log_("registry", {.level = telemetry::Level::off}) {
        Config config;
        config.grpc_listen.port = 0;
        config.instance = instance;
        config.cluster_key = Secret(std::string(kClusterKeyHex));
        config.tenants = {{.id = "default", .auto_create = true}, {.id = "strict"}};
        config.kafka.client.bootstrap = kafka.bootstrap();
        config.kafka.linger = 0ms;
        config.topics.manage = kafka::ManageTopics::verify;
        config.outbox.poll = 20ms;
        config.watch.bookmark = 200ms;
        if (change) change(config);
        service_ = std::move(*make_service(config, {log_, metrics_, health_}, {.store = memory_store(devices)}));
        const auto started = service_->start();
        EXPECT_TRUE(started) << started.error().message;
        address_ = runtime::to_string(service_->ports().at(0).address);
        const auto channel = rpc::make_channel(address_);
        devices_ = v1::DeviceService::NewStub(channel);
        operations_ = operations::v1::DeviceOperationService::NewStub(channel);
    }

    runtime::Service& service() { return *service_; }
    const std::string& address() const { return address_; }
    v1::DeviceService::Stub& devices() { return *devices_; }
    operations::v1::DeviceOperationService::Stub& operations() { return *operations_; }
    std::string metrics() const { return metrics_.expose(); }
    bool ready() const { return health_.ready(); }

  private:
    telemetry::Logger log_;
    telemetry::MetricRegistry metrics_;
    runtime::HealthBoard health_;
    std::unique_ptr<runtime::Service> service_;
    std::string address_;
    std::unique_ptr<v1::DeviceService::Stub> devices_;
    std::unique_ptr<operations::v1::DeviceOperationService::Stub> operations_;
};

// A context with a deadline.
struct Context : grpc::ClientContext {
    explicit Context(std::chrono::milliseconds timeout = kPatience) {
        set_deadline(std::chrono::system_clock::now() + timeout);
    }
};

class ServiceTest : public ::testing::Test {
  protected:
    ServiceTest() : kafka_(std::move(*kafka::MockCluster::start())), cluster_(make_memory_devices()) {
        EXPECT_TRUE(kafka_->create_topic("lwm2m.lifecycle.v1", 4));
        EXPECT_TRUE(kafka_->create_topic("lwm2m.device-state.v1", 4));
        registry_ = std::make_unique<Replica>("one", *kafka_, cluster_);
    }

    grpc::Status get(const std::string& endpoint, v1::Device& device) {
        Context context;
        v1::GetDeviceRequest request;
        request.set_name("tenants/default/devices/" + endpoint);
        return registry_->devices().GetDevice(&context, request, &device);
    }
    grpc::Status create(const std::string& endpoint, const std::string& site = {}) {
        Context context;
        v1::CreateDeviceRequest request;
        request.set_parent("tenants/default");
        request.set_device_id(endpoint);
        request.mutable_device()->set_enabled(true);
        if (!site.empty()) (*request.mutable_device()->mutable_labels())["site"] = site;
        v1::Device device;
        return registry_->devices().CreateDevice(&context, request, &device);
    }

    std::unique_ptr<kafka::MockCluster> kafka_;
    std::shared_ptr<MemoryDevices> cluster_;
    std::unique_ptr<Replica> registry_;
};

}  // namespace lanyard::registry
