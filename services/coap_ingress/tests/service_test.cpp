#include "coap_ingress/service.hpp"

#include <condition_variable>
#include <mutex>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coap/message.hpp"
#include "identity/observation_token.hpp"
#include "identity/registration_id.hpp"
#include "kafka/consumer.hpp"
#include "kafka/mock_cluster.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "lanyard/internal/v1/downlink.grpc.pb.h"
#include "lanyard/internal/v1/registration.grpc.pb.h"
#include "rpc/batch_stream_client.hpp"
#include "rpc/batch_stream_server.hpp"
#include "rpc/channel_pool.hpp"
#include "rpc/server.hpp"
#include "runtime/deadline.hpp"
#include "runtime/poller.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;
using RegistryStream = rpc::BatchStreamServer<internal::v1::RegistrationBatch, internal::v1::RegistrationResultBatch>;
using Result = internal::v1::RegistrationResult;

constexpr auto kPatience = 15s;

// A registry that stores nothing and says yes to everything.
class FakeRegistry final : public internal::v1::RegistrationService::CallbackService {
  public:
    grpc::ServerBidiReactor<internal::v1::RegistrationBatch, internal::v1::RegistrationResultBatch>* Exchange(
        grpc::CallbackServerContext* context) override {
        return RegistryStream::create(context, {}, std::make_shared<Handler>(*this))->reactor();
    }
    std::string wait_for_hello() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [this] { return !downlink_.empty(); });
        return downlink_;
    }
    bool wait_for_unanswered() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [this] { return unanswered_; });
    }
    // The newest Register.
    internal::v1::Register last_register() {
        const std::lock_guard lock(mutex_);
        return last_register_;
    }
    void stop_answering() {
        const std::lock_guard lock(mutex_);
        answering_ = false;
    }

  private:
    class Handler final : public RegistryStream::Handler {
      public:
        explicit Handler(FakeRegistry& registry) : registry_(registry) {}
        void on_open(const std::shared_ptr<RegistryStream>& stream) override { stream_ = stream; }
        bool on_batch(internal::v1::RegistrationBatch& batch) override {
            const std::lock_guard lock(registry_.mutex_);
            if (batch.has_hello()) {
                registry_.downlink_ = batch.hello().downlink_address();
                registry_.changed_.notify_all();
            }
            for (const auto& command : batch.commands()) {
                if (registry_.answering_) {
                    answer(command);
                } else {
                    registry_.unanswered_ = true;
                    registry_.changed_.notify_all();
                }
            }
            return true;
        }
        void on_client_done() override {
            if (const auto stream = stream_.lock()) stream->finish();
        }
        void on_closed() override {}

      private:
        void answer(const internal::v1::RegistrationCommand& command) {
            Result result;
            result.set_id(command.id());
            result.set_status(Result::STATUS_OK);
            if (command.has_register_()) {
                registry_.last_register_ = command.register_();
                auto& owned = *result.mutable_registration();
                owned.set_device_number(64);
                owned.set_generation(1);
                owned.set_epoch(1);
                owned.set_lifetime_s(300);
                owned.set_pledge_s(0xffffffff);
                owned.set_tenant(command.register_().tenant());
                owned.set_endpoint(command.register_().endpoint());
                owned.set_lwm2m_version("1.1");
            }
            if (const auto stream = stream_.lock()) static_cast<void>(stream->send(std::move(result)));
        }

        FakeRegistry& registry_;
        std::weak_ptr<RegistryStream> stream_;
    };

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string downlink_;
    bool answering_ = true;
    bool unanswered_ = false;
    internal::v1::Register last_register_;
};

// A device: one UDP socket that waits for messages.
class DeviceSocket {
  public:
    explicit DeviceSocket(const Address& server) {
        sockaddr_storage address{};
        const unsigned length = runtime::to_sockaddr(server, false, address);
        fd_ = socket(address.ss_family, SOCK_DGRAM, 0);
        timeval patience{15, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), length), 0);
    }
    ~DeviceSocket() { close(fd_); }

    void send(coap::Type type, coap::Code code, std::uint16_t mid, const coap::Options& options,
              std::string_view payload = {}, ByteView token = {}) {
        Bytes buffer(2048);
        const auto message = coap::encode(buffer, {type, code, mid}, coap::Token(token), options, as_bytes(payload));
        EXPECT_EQ(::send(fd_, message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
    }
    // The next message; valid until the next call.
    const coap::MessageView& receive() {
        buffer_.resize(4096);
        const ssize_t size = recv(fd_, buffer_.data(), buffer_.size(), 0);
        EXPECT_GT(size, 0) << "no answer";
        buffer_.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        EXPECT_EQ(view_.decode(buffer_), coap::DecodeError::none);
        return view_;
    }

  private:
    int fd_ = -1;
    Bytes buffer_;
    coap::MessageView view_;
};

class DownlinkClient final
    : public rpc::BatchStreamClient<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>::Handler {
  public:
    explicit DownlinkClient(const std::string& address)
        : stub_(internal::v1::DownlinkService::NewStub(rpc::make_channel(address))),
          stream_([this](auto* context, auto* reactor) { stub_->async()->Exchange(context, reactor); }, {}, *this) {}
    ~DownlinkClient() override { stream_.stop(0ms); }

    void ask(std::uint32_t device_number) {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, kPatience, [this] { return ready_; }));
        lock.unlock();
        internal::v1::DownlinkRequest request;
        request.set_id(5);
        request.set_device_number(device_number);
        request.set_timeout_ms(10000);
        request.mutable_request()->set_method(1);
        request.mutable_request()->set_path("/3/0/0");
        ASSERT_TRUE(stream_.send(std::move(request)));
    }
    internal::v1::DownlinkResult wait() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return !results_.empty(); }));
        if (results_.empty()) return {};
        const auto result = results_.back();
        results_.pop_back();
        return result;
    }

  private:
    void on_batch(internal::v1::DownlinkResultBatch& batch) override {
        const std::lock_guard lock(mutex_);
        results_.insert(results_.end(), batch.results().begin(), batch.results().end());
        changed_.notify_all();
    }
    void on_ready(internal::v1::DownlinkBatch&) override {
        const std::lock_guard lock(mutex_);
        ready_ = true;
        changed_.notify_all();
    }
    void on_down(const Error&, std::vector<internal::v1::DownlinkRequest>) override {}

    std::mutex mutex_;
    std::condition_variable changed_;
    bool ready_ = false;
    std::vector<internal::v1::DownlinkResult> results_;
    std::unique_ptr<internal::v1::DownlinkService::Stub> stub_;
    rpc::BatchStreamClient<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch> stream_;
};

class Ingress : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_ = kafka::MockCluster::start().value();
        ASSERT_TRUE(cluster_->create_topic("lwm2m.uplink.v1", 2));
        std::array<grpc::Service*, 1> services{&registry_};
        registry_server_ = rpc::Server::start({}, services).value();
        std::array<grpc::Service*, 1> spare_services{&spare_registry_};
        spare_server_ = rpc::Server::start({}, spare_services).value();
        Config config;
        config.listeners = {Listener{Address::v4(0x7f000001, 0), "default"}};
        config.shards = 2;
        config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
        config.registry.addresses = {registry_server_->address(), spare_server_->address()};
        config.downlink.listen = "127.0.0.1:0";
        config.kafka.client.bootstrap = cluster_->bootstrap();
        configure(config);
        service_ = make_service(config, {log_, metrics_, health_}).value();
        ASSERT_TRUE(service_->start());
        ASSERT_EQ(service_->ports().size(), config.listeners.size() + 1);
        downlink_address_ = registry_.wait_for_hello();
        ASSERT_FALSE(downlink_address_.empty());
        device_ = std::make_unique<DeviceSocket>(service_->ports()[0].address);
    }
    void TearDown() override {
        if (service_) service_->drain(runtime::Deadline::in(10s));
    }

    virtual void configure(Config&) {}

    void register_device() {
        coap::Options options;
        options.path("rd").content_format(40).query("ep=dev-1").query("lt=300").query("lwm2m=1.1");
        device_->send(coap::Type::confirmable, coap::Code::post, 1, options, "</1/0>,</3/0>");
        ASSERT_EQ(device_->receive().code(), coap::Code::created);
    }

    SipKey key_{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    telemetry::Logger log_{"test", {telemetry::Level::error, telemetry::LogFormat::text}};
    telemetry::MetricRegistry metrics_;
    runtime::HealthBoard health_;
    std::unique_ptr<kafka::MockCluster> cluster_;
    FakeRegistry registry_;
    std::unique_ptr<rpc::Server> registry_server_;
    FakeRegistry spare_registry_;
    std::unique_ptr<rpc::Server> spare_server_;
    std::string downlink_address_;
    std::unique_ptr<runtime::Service> service_;
    std::unique_ptr<DeviceSocket> device_;
};

class NoEvents final : public kafka::ConsumerEvents {};

TEST_F(Ingress, CarriesANotificationIntoKafkaBeforeItsAcknowledgement) {
    register_device();
    const auto token = identity::make_observation_token(key_, {64}, 3, 1);
    coap::Options options;
    options.observe(1).content_format(0);
    device_->send(coap::Type::confirmable, coap::Code::content, 2000, options, "21.5", token);
    const auto& ack = device_->receive();
    EXPECT_EQ(ack.type(), coap::Type::acknowledgement);
    EXPECT_EQ(ack.mid(), 2000);

    NoEvents events;
    kafka::ConsumerConfig consuming;
    consuming.client.bootstrap = cluster_->bootstrap();
    auto consumer = kafka::Consumer::create(consuming, events).value();
    const std::vector<kafka::TopicOffset> all{{"lwm2m.uplink.v1", 0, kafka::kOffsetBeginning},
                                              {"lwm2m.uplink.v1", 1, kafka::kOffsetBeginning}};
    ASSERT_TRUE(consumer->assign(all));
    kafka::MessageBatch batch;
    for (int i = 0; i < 150 && batch.empty(); ++i) consumer->poll(batch, 10, 100ms);
    ASSERT_EQ(batch.size(), 1U);
    EXPECT_EQ(batch[0].key(), "default/dev-1");
    events::v1::UplinkRecord record;
    ASSERT_TRUE(record.ParseFromArray(batch[0].value().data(), static_cast<int>(batch[0].value().size())));
    EXPECT_EQ(record.payload(), "21.5");
    EXPECT_EQ(record.observation_spec(), 3U);
}

TEST_F(Ingress, CarriesADownlinkToTheDeviceAndBack) {
    register_device();
    DownlinkClient client(downlink_address_);
    client.ask(64);
    const auto& request = device_->receive();
    EXPECT_EQ(request.path(), "/3/0/0");
    coap::Options options;
    options.content_format(0);
    device_->send(coap::Type::acknowledgement, coap::Code::content, request.mid(), options, "Maker",
                  request.token().bytes());
    const auto result = client.wait();
    EXPECT_EQ(result.outcome(), internal::v1::DownlinkResult::OUTCOME_ANSWERED);
    EXPECT_EQ(result.payload(), "Maker");
    client.ask(12345);
    EXPECT_EQ(client.wait().outcome(), internal::v1::DownlinkResult::OUTCOME_NOT_OWNER);
}

TEST_F(Ingress, IsReadyWithARegistryAndShowsItsMetrics) {
    register_device();
    runtime::Poller pause;  // the uplink topic is looked at on a thread of its own
    const auto patience = runtime::Deadline::in(kPatience);
    while (!health_.ready() && !patience.expired()) (void)pause.wait(5ms);
    EXPECT_TRUE(health_.ready());
    const std::string text = metrics_.expose();
    EXPECT_NE(text.find("lanyard_coap_messages_total{"), std::string::npos);
    for (const char* family :
         {"lanyard_ingest_latency_seconds", "lanyard_register_duration_seconds_count 1\n",
          "lanyard_coap_exchange_duration_seconds", "lanyard_coap_block_transfers_total{",
          "lanyard_coap_dedup_evicted_total", "lanyard_kafka_produced_total{", "lanyard_kafka_queue_messages"}) {
        EXPECT_NE(text.find(family), std::string::npos) << family;
    }
}

TEST_F(Ingress, SendsUnansweredCommandsAgainToTheNextReplica) {
    register_device();
    registry_.stop_answering();
    coap::Options options;
    options.path("rd").content_format(40).query("ep=dev-2").query("lt=300").query("lwm2m=1.1");
    device_->send(coap::Type::confirmable, coap::Code::post, 3000, options, "</1/0>,</3/0>");
    ASSERT_TRUE(registry_.wait_for_unanswered());
    registry_server_->shutdown(0ms);
    EXPECT_EQ(device_->receive().code(), coap::Code::created);
}

class TwoTenants : public Ingress {
  protected:
    static constexpr Address kLoopback6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0};

    // One shard, so that both listeners know the same registrations.
    void configure(Config& config) override {
        config.listeners.push_back(Listener{kLoopback6, "other"});
        config.shards = 1;
    }
};

TEST_F(TwoTenants, AreServedOverIpv4AndIpv6SideBySide) {
    register_device();
    EXPECT_EQ(registry_.last_register().tenant(), "default");
    EXPECT_EQ(registry_.last_register().remote_address().rfind("127.0.0.1:", 0), 0U);

    const Address address = service_->ports()[1].address;
    EXPECT_FALSE(address.is_v4());
    EXPECT_NE(address.port, 0);
    device_ = std::make_unique<DeviceSocket>(address);
    register_device();
    const internal::v1::Register seen = registry_.last_register();
    EXPECT_EQ(seen.tenant(), "other");
    EXPECT_EQ(seen.remote_address().rfind("[::1]:", 0), 0U) << seen.remote_address();

    // The registration belongs to the tenant of the listener that it came through.
    coap::Options update;
    update.path("rd/" + identity::format_registration_id(key_, {{64}, 1}));
    device_->send(coap::Type::confirmable, coap::Code::post, 5000, update);
    EXPECT_EQ(device_->receive().code(), coap::Code::changed);
    DeviceSocket stranger(service_->ports()[0].address);
    stranger.send(coap::Type::confirmable, coap::Code::post, 1, update);
    EXPECT_EQ(stranger.receive().code(), coap::Code::not_found);
}

TEST_F(Ingress, DrainsInTimeWithARegistryThatDoesNotAnswer) {
    register_device();
    registry_.stop_answering();
    coap::Options options;
    options.path("rd").content_format(40).query("ep=dev-2").query("lt=300").query("lwm2m=1.1");
    device_->send(coap::Type::confirmable, coap::Code::post, 3000, options, "</1/0>,</3/0>");
    ASSERT_TRUE(registry_.wait_for_unanswered());
    const auto begin = std::chrono::steady_clock::now();
    service_->drain(runtime::Deadline::in(4s));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(IngressStart, TellsWhichRegistryItCannotReachAndWhy) {
    telemetry::Logger log("test", {telemetry::Level::off, telemetry::LogFormat::text});
    telemetry::MetricRegistry metrics;
    runtime::HealthBoard health;
    Config config;
    config.listeners = {Listener{Address::v4(0x7f000001, 0), "default"}};
    config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
    config.registry.addresses = {"127.0.0.1:1", "127.0.0.1:2"};  // nobody listens there
    config.downlink.listen = "127.0.0.1:0";
    auto service = make_service(config, {log, metrics, health}).value();
    ASSERT_TRUE(service->start());
    const auto detail = [&] {
        for (const auto& line : health.report().lines) {
            if (line.name == "registry") return line.detail;
        }
        return std::string();
    };
    runtime::Poller pause;
    const auto patience = runtime::Deadline::in(kPatience);
    const std::string next = "; trying 127.0.0.1:1";
    std::string told = detail();
    for (; !told.ends_with(next) && !patience.expired(); told = detail()) (void)pause.wait(5ms);
    EXPECT_TRUE(told.starts_with("127.0.0.1:2: ")) << told;
    EXPECT_GT(told.size(), std::string("127.0.0.1:2: ").size() + next.size()) << told;
    EXPECT_FALSE(health.ready());
    service->drain(runtime::Deadline::in(1s));
}

TEST(IngressStart, TakesARegisterWhileItStillLooksForARegistry) {
    telemetry::Logger log("test", {telemetry::Level::off, telemetry::LogFormat::text});
    telemetry::MetricRegistry metrics;
    runtime::HealthBoard health;
    FakeRegistry registry;
    std::array<grpc::Service*, 1> services{&registry};
    const auto server = rpc::Server::start({}, services).value();
    Config config;
    config.listeners = {Listener{Address::v4(0x7f000001, 0), "default"}};
    config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
    config.registry.addresses = {"127.0.0.1:1", server->address()};  // nobody listens at the first
    config.downlink.listen = "127.0.0.1:0";
    auto service = make_service(config, {log, metrics, health}).value();
    ASSERT_TRUE(service->start());
    DeviceSocket device(service->ports()[0].address);
    coap::Options options;
    options.path("rd").content_format(40).query("ep=dev-1").query("lt=300").query("lwm2m=1.1");
    device.send(coap::Type::confirmable, coap::Code::post, 1, options, "</1/0>,</3/0>");
    EXPECT_EQ(device.receive().code(), coap::Code::created);
    service->drain(runtime::Deadline::in(1s));
}

TEST(IngressStart, RefusesAPortThatIsTaken) {
    telemetry::Logger log("test", {telemetry::Level::off, telemetry::LogFormat::text});
    telemetry::MetricRegistry metrics;
    runtime::HealthBoard health;
    Config config;
    config.listeners = {Listener{Address::v4(0x08080808, 5683), "default"}};  // not an address of this host
    config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
    auto service = make_service(config, {log, metrics, health}).value();
    const auto started = service->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::unavailable);
    service->drain(runtime::Deadline::in(1s));
}

}  // namespace
}  // namespace lanyard::coap_ingress
