// The whole service on librdkafka's mock cluster with the memory store and a fake registry.
#include <chrono>
#include <random>
#include <set>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes.hpp"
#include "identity/cluster_key.hpp"
#include "kafka/consumer.hpp"
#include "kafka/mock_cluster.hpp"
#include "kafka/producer.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "lanyard/observation/v1/observation.grpc.pb.h"
#include "observation/service.hpp"
#include "resume_token.hpp"
#include "rpc/status.hpp"
#include "runtime/socket_address.hpp"
#include "wait_for.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;
using events::v1::UplinkRecord;
using nlohmann::json;

constexpr std::int16_t kOffsetCommit = 8;  // Kafka API key
constexpr std::int16_t kUnknownMember = 25;

struct Read {
    std::string key;
    std::string value;
    std::map<std::string, std::string> headers;
};

class Ignore final : public kafka::ConsumerEvents, public kafka::DeliverySink {
  public:
    void on_delivered(const kafka::Delivery&) override {}
};

class Pipeline : public ::testing::Test {
  protected:
    Pipeline() {
        cluster = std::move(*kafka::MockCluster::start());
        for (const char* topic :
             {"lwm2m.uplink.v1", "lwm2m.lifecycle.v1", "lwm2m.telemetry.v1", "lwm2m.dead-letter.v1"}) {
            EXPECT_TRUE(cluster->create_topic(topic, 2));
        }
        config.grpc_listen = Address::v4(0x7f000001, 0);
        config.cluster_key = Secret("000102030405060708090a0b0c0d0e0f");
        config.kafka.client.bootstrap = cluster->bootstrap();
        config.kafka.manage = kafka::ManageTopics::off;
        config.kafka.commit_interval = 50ms;
        // The mock cluster lets a group that lost a member wait for so long, a new one for 3 s.
        config.kafka.session_timeout = 4s;
        config.uplink.latest_interval = 100ms;
        config.streams.bookmark_interval = 100ms;
        kafka::ProducerConfig settings;
        settings.client.bootstrap = cluster->bootstrap();
        producer = std::move(*kafka::Producer::create(settings));
        spec = *wait_for<SpecId>([&](auto done) { store->intern_spec({"/3303/0/5700"}, done); });
        directory->devices.push_back(fake_device());
    }
    ~Pipeline() override { stop(); }

    void start() {
        health = std::make_unique<runtime::HealthBoard>();
        Deps deps{store, downlink, directory, {}};
        service = std::move(*make_service(config, {log, metrics, *health}, deps));
        const auto started = service->start();
        ASSERT_TRUE(started) << started.error().message;
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // else the window grows to what a slow reader never fills
        const auto channel = grpc::CreateCustomChannel(runtime::to_string(service->ports().at(0).address),
                                                       grpc::InsecureChannelCredentials(), arguments);
        stub = v1::ObservationService::NewStub(channel);
    }
    void stop() {
        stub.reset();
        if (!service) return;
        const auto began = std::chrono::steady_clock::now();
        service->drain(runtime::Deadline::in(10s));
        EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
        service.reset();
    }

    void produce(const std::string& topic, const std::string& key, const std::string& value) {
        kafka::Record record;
        record.topic = *producer->topic(topic);
        record.key = key;
        record.value = as_bytes(value);
        ASSERT_TRUE(producer->produce(record));
        ASSERT_TRUE(producer->flush(ignore, 10s));
    }
    void notify(const std::string& payload, const std::string& id, std::uint32_t of = 0) {
        UplinkRecord r;
        r.set_tenant("default");
        r.set_endpoint("urn:imei:1");
        r.set_kind(UplinkRecord::KIND_NOTIFY);
        r.set_device_number(65);
        r.set_generation(1);
        r.set_observation_spec(of == 0 ? spec : of);
        r.set_observe_sequence(++sequence);
        r.set_coap_code(0x45);
        r.set_content_format(0);
        r.set_payload(payload);
        r.set_received_ms(1764000000000 + sequence);
        r.set_event_id(id);
        produce("lwm2m.uplink.v1", "default/urn:imei:1", r.SerializeAsString());
    }
    // Reads a topic from its beginning until `count` records were seen.
    std::vector<Read> read(const std::string& topic, std::size_t count) {
        kafka::ConsumerConfig settings;
        settings.client.bootstrap = cluster->bootstrap();
        auto consumer = std::move(*kafka::Consumer::create(settings, ignore));
        const std::vector<kafka::TopicOffset> all{{topic, 0, kafka::kOffsetBeginning},
                                                  {topic, 1, kafka::kOffsetBeginning}};
        EXPECT_TRUE(consumer->assign(all));
        std::vector<Read> out;
        kafka::MessageBatch batch;
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (out.size() < count && std::chrono::steady_clock::now() < until) {
            consumer->poll(batch, 100, 100ms);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                Read r{std::string(batch[i].key()), to_string(batch[i].value()), {}};
                batch[i].for_each_header([&](const kafka::Header& h) { r.headers.emplace(h.name, h.value); });
                out.push_back(std::move(r));
            }
        }
        EXPECT_GE(out.size(), count) << topic;
        batch.clear();
        return out;
    }

    telemetry::Logger log{"observation", {telemetry::Level::error}};
    telemetry::MetricRegistry metrics;
    std::unique_ptr<runtime::HealthBoard> health;
    std::unique_ptr<kafka::MockCluster> cluster;
    std::unique_ptr<kafka::Producer> producer;
    Ignore ignore;
    Config config;
    std::shared_ptr<ObservationStore> store = make_memory_store();
    std::shared_ptr<FakeDownlink> downlink = std::make_shared<FakeDownlink>();
    std::shared_ptr<FakeDirectory> directory = std::make_shared<FakeDirectory>();
    std::unique_ptr<runtime::Service> service;
    std::unique_ptr<v1::ObservationService::Stub> stub;
    SpecId spec = 0;
    std::uint32_t sequence = 0;
};

TEST_F(Pipeline, UplinkBecomesTelemetryAndLatestValues) {
    start();
    notify("22.5", "a");
    notify("23.5", "b");
    const auto out = read("lwm2m.telemetry.v1", 2);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(json::parse(out[0].value)["value"], 22.5);
    EXPECT_EQ(json::parse(out[1].value)["event_id"], "b-0");
    EXPECT_EQ(out[0].key, "default/urn:imei:1");
    EXPECT_EQ(out[0].headers.at("ce_id"), "a-0");
    v1::GetLatestValuesRequest request;
    request.set_device("tenants/default/devices/urn:imei:1");
    v1::GetLatestValuesResponse response;
    grpc::Status status;
    for (int i = 0; i < 200; ++i) {
        grpc::ClientContext context;
        status = stub->GetLatestValues(&context, request, &response);
        if (status.ok() && response.values(0).node().double_value() == 23.5) break;
        (void)read("lwm2m.telemetry.v1", 2);
    }
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.values(0).node().double_value(), 23.5);
    EXPECT_EQ(response.values(0).origin(), "notify");
}

TEST_F(Pipeline, WhatCannotBeDecodedIsADeadLetter) {
    start();
    produce("lwm2m.uplink.v1", "default/x", "\xff\xff not protobuf");
    notify("warm", "b");
    notify("1", "unknown-spec", 4000);
    notify("22.5", "d");
    EXPECT_EQ(read("lwm2m.telemetry.v1", 1).size(), 1U);
    std::set<std::string> reasons;
    for (const Read& r : read("lwm2m.dead-letter.v1", 3)) reasons.insert(r.headers.at("lwm2m-error-code"));
    EXPECT_EQ(reasons, (std::set<std::string>{"INVALID_RECORD", "UNDECODABLE_PAYLOAD", "UNKNOWN_SPEC"}));
}

TEST_F(Pipeline, WorkThatWasNotCommittedIsRepeatedWithTheSameIds) {
    cluster->fail_requests(kOffsetCommit, kUnknownMember, 1000);
    start();
    notify("22.5", "a");
    (void)read("lwm2m.telemetry.v1", 1);
    stop();
    cluster->clear_failures(kOffsetCommit);
    start();
    const auto out = read("lwm2m.telemetry.v1", 2);
    ASSERT_GE(out.size(), 2U);
    EXPECT_EQ(out[0].value, out[1].value);
}

TEST_F(Pipeline, CommittedWorkIsNotRepeated) {
    start();
    notify("22.5", "a");
    (void)read("lwm2m.telemetry.v1", 1);
    stop();
    start();
    notify("23.5", "b");
    const auto out = read("lwm2m.telemetry.v1", 2);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(json::parse(out[1].value)["event_id"], "b-0");
}

TEST_F(Pipeline, NothingIsLostWhileBrokersAreDown) {
    config.kafka.delivery_timeout = 1s;
    start();
    notify("1", "a");
    (void)read("lwm2m.telemetry.v1", 1);
    cluster->fail_requests(0, 7, 100000);  // Produce: REQUEST_TIMED_OUT
    cluster->clear_failures(0);
    cluster->set_all_up(false);
    cluster->set_all_up(true);
    for (int i = 0; i < 50; ++i) notify(std::to_string(i), "id" + std::to_string(i));
    std::set<std::string> ids;
    for (const Read& r : read("lwm2m.telemetry.v1", 51)) ids.insert(r.headers.at("ce_id"));
    EXPECT_GE(ids.size(), 51U);
}

TEST_F(Pipeline, ARegisteredDeviceIsObserved) {
    TemplateEntry temperature;
    temperature.id = "temperature";
    temperature.object_id = 3303;
    temperature.paths = {"/3303/*/5700"};
    config.templates = {temperature};
    start();
    produce("lwm2m.lifecycle.v1", "default/urn:imei:1",
            R"({"tenant":"default","endpoint":"urn:imei:1","event":"registered","device_number":65,"generation":1,)"
            R"("lwm2m_version":"1.1","object_links":"</3303/0>","ingress_node":1})");
    const auto out = read("lwm2m.telemetry.v1", 1);
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(json::parse(out[0].value)["value"], 20.5) << "the first value, out of the answer to Observe";
    v1::ListObservationsRequest request;
    request.set_parent("tenants/default/devices/urn:imei:1");
    v1::ListObservationsResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(stub->ListObservations(&context, request, &response).ok());
    ASSERT_EQ(response.observations_size(), 1);
    EXPECT_EQ(response.observations(0).name(),
              "tenants/default/devices/urn:imei:1/observations/temperature.3303.0.5700");
    EXPECT_EQ(response.next_page_token(), "");
    request.set_page_token("made up");
    grpc::ClientContext refused;
    EXPECT_EQ(stub->ListObservations(&refused, request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(Pipeline, AStreamIsResumedWithoutAGap) {
    start();
    v1::StreamValuesRequest request;
    request.set_parent("tenants/default/devices/urn:imei:1");
    request.add_path_prefixes("/3303");
    std::string token;
    {
        grpc::ClientContext context;
        auto stream = stub->StreamValues(&context, request);
        v1::StreamValuesResponse response;
        ASSERT_TRUE(stream->Read(&response));
        EXPECT_TRUE(response.device().empty()) << "the first message tells where the stream begins";
        notify("1", "a");
        notify("2", "b");
        do {
            ASSERT_TRUE(stream->Read(&response));
        } while (response.event_id().empty());
        EXPECT_EQ(response.event_id(), "a-0");
        EXPECT_EQ(response.value().node().double_value(), 1);
        token = response.resume_token();
        context.TryCancel();
        while (stream->Read(&response)) {
        }
        (void)stream->Finish();
    }
    notify("3", "c");
    request.set_resume_token(token);
    grpc::ClientContext context;
    auto stream = stub->StreamValues(&context, request);
    std::vector<std::string> ids;
    v1::StreamValuesResponse response;
    while (ids.size() < 2 && stream->Read(&response)) {
        if (!response.event_id().empty()) ids.push_back(response.event_id());
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"b-0", "c-0"}));
    context.TryCancel();
}

TEST_F(Pipeline, AClientThatReadsTooSlowlyIsCutAndResumes) {
    constexpr std::size_t kValues = 80;
    config.streams.queue_max = 16;
    config.streams.slow_limit = 200ms;
    const SpecId text = *wait_for<SpecId>([&](auto done) { store->intern_spec({"/3/0/0"}, done); });
    start();
    v1::StreamValuesRequest request;
    request.set_parent("tenants/default/devices/urn:imei:1");
    v1::StreamValuesResponse response;
    std::vector<std::string> ids;
    const auto take = [&] {
        if (!response.event_id().empty()) ids.push_back(response.event_id());
        request.set_resume_token(response.resume_token());
    };
    const auto until = std::chrono::system_clock::now() + 60s;
    {
        grpc::ClientContext context;
        context.set_deadline(until);
        auto stream = stub->StreamValues(&context, request);
        ASSERT_TRUE(stream->Read(&response));
        // More than the window of the connection, the queue and the buffers of the sockets hold.
        for (std::size_t i = 0; i < kValues; ++i) notify(std::string(60000, 'x'), std::to_string(i), text);
        (void)read("lwm2m.telemetry.v1", kValues);
        const auto cut = [&] {
            return metrics.expose().find("lanyard_value_streams_cut_total 1") != std::string::npos;
        };
        for (int i = 0; i < 100 && !cut(); ++i) (void)read("lwm2m.telemetry.v1", 1);
        while (stream->Read(&response)) take();
        EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
        EXPECT_LT(ids.size(), kValues);
    }
    // A reader that has no processor for a moment is cut again: as any client it begins where it was.
    while (ids.size() < kValues && std::chrono::system_clock::now() < until) {
        grpc::ClientContext context;
        context.set_deadline(until);
        auto stream = stub->StreamValues(&context, request);
        while (ids.size() < kValues && stream->Read(&response)) take();
        context.TryCancel();
    }
    ASSERT_EQ(ids.size(), kValues);
    for (std::size_t i = 0; i < kValues; ++i) EXPECT_EQ(ids[i], std::to_string(i) + "-0") << "no gap, nothing twice";
}

TEST_F(Pipeline, AClientThatNeverReadsLosesItsPlaceToOthers) {
    constexpr int kValues = 80;
    config.streams.max = 1;
    config.streams.queue_max = 16;
    config.streams.slow_limit = 200ms;
    const SpecId text = *wait_for<SpecId>([&](auto done) { store->intern_spec({"/3/0/0"}, done); });
    start();
    v1::StreamValuesRequest request;
    request.set_parent("tenants/default/devices/urn:imei:1");
    v1::StreamValuesResponse response;
    grpc::ClientContext never;
    never.set_deadline(std::chrono::system_clock::now() + 60s);
    const auto stuck = stub->StreamValues(&never, request);
    ASSERT_TRUE(stuck->Read(&response));
    for (int i = 0; i < kValues; ++i) notify(std::string(60000, 'x'), std::to_string(i), text);
    bool served = false;
    for (int i = 0; i < 100 && !served; ++i) {
        (void)read("lwm2m.telemetry.v1", 1);  // lets time pass
        grpc::ClientContext context;
        served = stub->StreamValues(&context, request)->Read(&response);
        context.TryCancel();
    }
    EXPECT_TRUE(served);
    while (stuck->Read(&response)) {
    }
    EXPECT_EQ(stuck->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(Pipeline, ATokenOutsideTheTopicIsOutOfRange) {
    const std::string parent = "tenants/default/devices/urn:imei:1";
    const SipKey key = *identity::parse_cluster_key(config.cluster_key);
    start();
    const auto status_at = [&](std::int64_t offset) {
        v1::StreamValuesRequest request;
        request.set_parent(parent);
        request.set_resume_token(seal_position(key, parent, {{0, offset}, {1, offset}}));
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + 20s);
        auto stream = stub->StreamValues(&context, request);
        v1::StreamValuesResponse response;
        while (stream->Read(&response)) {
        }
        return stream->Finish().error_code();
    };
    EXPECT_EQ(status_at(1000), grpc::StatusCode::OUT_OF_RANGE) << "beyond the end: not of this topic";
    // The mock cluster keeps 5 MiB of a partition.
    std::mt19937 random(1);
    std::string incompressible(900000, '\0');
    for (char& c : incompressible) c = static_cast<char>(random());
    for (int i = 0; i < 8; ++i) produce("lwm2m.telemetry.v1", "default/urn:imei:1", incompressible);
    EXPECT_EQ(status_at(0), grpc::StatusCode::OUT_OF_RANGE) << "gone by retention";
}

TEST_F(Pipeline, RequestsAreCheckedFieldByField) {
    start();
    const auto field_of = [](const grpc::Status& status) {
        EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
        const auto details = rpc::details_of(status);
        return details && !details->fields.empty() ? details->fields[0].field : std::string();
    };
    const auto create = [&](const std::string& parent, const std::string& path, v1::Observation* out) {
        v1::CreateObservationRequest request;
        request.set_parent(parent);
        request.mutable_observation()->set_path(path);
        grpc::ClientContext context;
        return stub->CreateObservation(&context, request, out);
    };
    const std::string device = "tenants/default/devices/urn:imei:1";
    v1::Observation made;
    EXPECT_EQ(field_of(create("devices/x", "/3/0/9", &made)), "parent");
    EXPECT_EQ(field_of(create(device, "/3/*/9", &made)), "observation.path");
    EXPECT_EQ(create("tenants/default/devices/nobody", "/3/0/9", &made).error_code(), grpc::StatusCode::NOT_FOUND);
    ASSERT_TRUE(create(device, "/3/0/9", &made).ok());
    EXPECT_EQ(made.name(), device + "/observations/3.0.9");
    EXPECT_EQ(made.state(), v1::Observation::STATE_PENDING);
    EXPECT_EQ(create(device, "/3/0/9/", &made).error_code(), grpc::StatusCode::ALREADY_EXISTS);
    v1::DeleteObservationRequest remove;
    remove.set_name(device + "/observations/3.0.9");
    google::protobuf::Empty nothing;
    grpc::ClientContext first;
    EXPECT_TRUE(stub->DeleteObservation(&first, remove, &nothing).ok());
    grpc::ClientContext second;
    EXPECT_EQ(stub->DeleteObservation(&second, remove, &nothing).error_code(), grpc::StatusCode::NOT_FOUND);
    v1::StreamValuesRequest stream;
    stream.set_parent("tenants/default");
    stream.set_resume_token("00");
    grpc::ClientContext third;
    EXPECT_EQ(field_of(stub->StreamValues(&third, stream)->Finish()), "resume_token");
}

}  // namespace
}  // namespace lanyard::observation
