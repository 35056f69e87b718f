#include <random>
#include <set>
#include <thread>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "device_view.hpp"
#include "identity/sealed_token.hpp"
#include "kafka/producer.hpp"
#include "list_tokens.hpp"
#include "rpc/status.hpp"
#include "service_fixture.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::RegistrationResult;
using v1::WatchDevicesResponse;

class DeviceWatchTest : public ServiceTest {};

// A watch whose messages are read one by one.
struct Watch {
    Watch(Replica& registry, const std::string& resume, const std::string& filter = {})
        : Watch(registry.devices(), resume, filter) {}
    Watch(v1::DeviceService::Stub& stub, const std::string& resume, const std::string& filter = {})
        : context(kPatience) {
        v1::WatchDevicesRequest request;
        request.set_parent("tenants/default");
        request.set_filter(filter);
        request.set_resume_token(resume);
        reader = stub.WatchDevices(&context, request);
    }
    ~Watch() {
        if (ended) return;
        context.TryCancel();
        (void)end();
    }
    // Reads what is left, and remembers the token.
    grpc::Status end() {
        while (reader->Read(&message)) note();
        ended = true;
        return reader->Finish();
    }
    void note() {
        if (!message.resume_token().empty()) token = message.resume_token();
        if (message.has_device()) seen.insert(message.device().endpoint());
    }
    // The next one that is not a bookmark; remembers the token.
    bool next_change() {
        while (reader->Read(&message)) {
            note();
            if (message.type() != WatchDevicesResponse::TYPE_BOOKMARK) return true;
        }
        return false;
    }
    Context context;
    std::unique_ptr<grpc::ClientReader<WatchDevicesResponse>> reader;
    WatchDevicesResponse message;
    std::string token;
    std::set<std::string> seen;
    bool ended = false;
};

TEST_F(DeviceWatchTest, WatchGivesASnapshotThenChangesAndResumes) {
    ASSERT_TRUE(create("urn:old").ok());
    std::string token;
    {
        Watch watch(*registry_, "");
        ASSERT_TRUE(watch.next_change());
        EXPECT_EQ(watch.message.type(), WatchDevicesResponse::TYPE_ADDED);
        EXPECT_EQ(watch.message.device().endpoint(), "urn:old");
        ASSERT_TRUE(watch.reader->Read(&watch.message));
        while (watch.message.type() != WatchDevicesResponse::TYPE_BOOKMARK) {
            ASSERT_TRUE(watch.reader->Read(&watch.message));
        }
        ASSERT_TRUE(create("urn:new").ok());
        do {
            ASSERT_TRUE(watch.next_change());
        } while (watch.message.device().endpoint() != "urn:new");
        EXPECT_EQ(watch.message.type(), WatchDevicesResponse::TYPE_MODIFIED);
        EXPECT_EQ(watch.message.event(), "created");
        token = watch.token;
        ASSERT_FALSE(token.empty());
    }
    ASSERT_TRUE(create("urn:later").ok());
    {
        Context context;
        v1::DeleteDeviceRequest request;
        request.set_name("tenants/default/devices/urn:later");
        google::protobuf::Empty empty;
        ASSERT_TRUE(registry_->devices().DeleteDevice(&context, request, &empty).ok());
    }
    Watch watch(*registry_, token);
    ASSERT_TRUE(watch.next_change());
    EXPECT_EQ(watch.message.device().endpoint(), "urn:later");
    ASSERT_TRUE(watch.next_change());
    EXPECT_EQ(watch.message.type(), WatchDevicesResponse::TYPE_DELETED);
    EXPECT_EQ(watch.message.device().name(), "tenants/default/devices/urn:later");
}

TEST_F(DeviceWatchTest, WatchRefusesForgedTokensAndTooManyStreams) {
    Watch forged(*registry_, "bm9uc2Vuc2U");
    EXPECT_FALSE(forged.next_change());
    Replica small("small", *kafka_, make_memory_devices(), [](Config& config) { config.watch.streams_max = 1; });
    Watch first(small, "");
    ASSERT_TRUE(first.reader->Read(&first.message));
    Context context;
    v1::WatchDevicesRequest request;
    request.set_parent("tenants/default");
    auto second = small.devices().WatchDevices(&context, request);
    WatchDevicesResponse message;
    EXPECT_FALSE(second->Read(&message));
    EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// Waits for a condition on the metrics of a replica.
bool eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return false;
}

TEST_F(DeviceWatchTest, AWatchFromOutsideTheTopicIsOutOfRange) {
    std::string token;
    {
        Watch watch(*registry_, "");
        ASSERT_TRUE(watch.reader->Read(&watch.message));
        token = watch.message.resume_token();
        ASSERT_FALSE(token.empty());
    }
    const auto scope = identity::token_scope("default", parse_device_filter("")->hash());
    auto position = parse_resume_token(kClusterKey, scope, token).value();
    position.offsets.front() = 1000;
    Watch beyond(*registry_, make_resume_token(kClusterKey, scope, position));
    EXPECT_EQ(beyond.end().error_code(), grpc::StatusCode::OUT_OF_RANGE) << "not of this topic";
    // The mock cluster keeps 5 MiB of a partition.
    auto producer = kafka::Producer::create({.client = {.bootstrap = kafka_->bootstrap()}}).value();
    const auto topic = producer->topic("lwm2m.device-state.v1").value();
    std::mt19937 random(1);
    std::string incompressible(900000, '\0');
    for (char& c : incompressible) c = static_cast<char>(random());
    struct : kafka::DeliverySink {
        void on_delivered(const kafka::Delivery&) override {}
    } ignore;
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(producer->produce({.topic = topic, .key = "default/urn:one", .value = as_bytes(incompressible)}));
        ASSERT_TRUE(producer->flush(ignore, kPatience));
    }
    Watch late(*registry_, token);
    EXPECT_EQ(late.end().error_code(), grpc::StatusCode::OUT_OF_RANGE) << "gone by retention";
}

TEST_F(DeviceWatchTest, AWatchThatRetentionOvertakesIsOutOfRange) {
    Watch watch(*registry_, "");
    ASSERT_TRUE(watch.reader->Read(&watch.message));
    constexpr std::int16_t kFetch = 1;             // API key
    constexpr std::int16_t kOffsetOutOfRange = 1;  // error code
    kafka_->fail_requests(kFetch, kOffsetOutOfRange, 2);
    EXPECT_EQ(watch.end().error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(DeviceWatchTest, AWatchFromBeforeTheKeptDeletionsIsOutOfRange) {
    Watch watch(*registry_, "");
    ASSERT_TRUE(watch.reader->Read(&watch.message));
    const auto scope = identity::token_scope("default", parse_device_filter("")->hash());
    auto position = parse_resume_token(kClusterKey, scope, watch.message.resume_token()).value();
    EXPECT_LE(position.seen_ms, runtime::now().wall_ms);
    EXPECT_GT(position.seen_ms, runtime::now().wall_ms - 60000);
    position.seen_ms -= kTombstonesKept.count() + 1000;
    Watch late(*registry_, make_resume_token(kClusterKey, scope, position));
    const grpc::Status status = late.end();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
    EXPECT_EQ(rpc::details_of(status)->reason, "RESUME_TOKEN_TOO_OLD");
}

TEST_F(DeviceWatchTest, AQuietWatchGetsTokensOfLaterTimes) {
    Watch watch(*registry_, "");
    const auto scope = identity::token_scope("default", parse_device_filter("")->hash());
    const auto seen_ms = [&] {
        EXPECT_TRUE(watch.reader->Read(&watch.message));
        return parse_resume_token(kClusterKey, scope, watch.message.resume_token()).value().seen_ms;
    };
    const UnixMillis first = seen_ms();
    UnixMillis later = first;
    for (int i = 0; i < 20 && later == first; ++i) later = seen_ms();
    EXPECT_GT(later, first);
}

TEST_F(DeviceWatchTest, ASlowWatcherIsCutAndGoesOnWithItsLastToken) {
    Replica strict("strict", *kafka_, cluster_, [](Config& config) { config.watch.write_deadline = 2s; });
    // Takes no more than a window of what it does not read.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    const auto stub = v1::DeviceService::NewStub(
        grpc::CreateCustomChannel(strict.address(), grpc::InsecureChannelCredentials(), arguments));
    Watch slow(*stub, "");
    ASSERT_TRUE(slow.reader->Read(&slow.message));
    std::set<std::string> expected;
    for (int i = 0; i < 400; ++i) {
        Context context;
        v1::CreateDeviceRequest request;
        request.set_parent("tenants/default");
        request.set_device_id("urn:" + std::to_string(i));
        expected.insert(request.device_id());
        for (int label = 0; label < 32; ++label) {
            (*request.mutable_device()->mutable_labels())["l" + std::to_string(label)] = std::string(255, 'x');
        }
        v1::Device device;
        ASSERT_TRUE(strict.devices().CreateDevice(&context, request, &device).ok());
    }
    ASSERT_TRUE(eventually(
        [&] { return strict.metrics().find("lanyard_registry_watch_cuts_total 1\n") != std::string::npos; }));
    EXPECT_EQ(slow.end().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_LT(slow.seen.size(), expected.size());
    Watch again(strict, slow.token);
    while (again.seen.size() + slow.seen.size() < expected.size() && again.next_change()) {
    }
    slow.seen.merge(again.seen);
    EXPECT_EQ(slow.seen, expected);
}

TEST_F(DeviceWatchTest, ASecondReplicaSharesTheLeasesAndTakesThemOver) {
    Replica two("two", *kafka_, cluster_);
    const auto leads = [](const Replica& replica, const char* count) {
        return replica.metrics().find(std::string("lanyard_registry_leases ") + count + "\n") != std::string::npos;
    };
    ASSERT_TRUE(eventually([&] { return leads(*registry_, "32") && leads(two, "32"); }));
    Watch watch(two, "");
    ASSERT_TRUE(watch.reader->Read(&watch.message));
    registry_->service().drain(runtime::Deadline::in(10s));
    ASSERT_TRUE(eventually([&] { return leads(two, "64"); }));
    FakeIngress ingress("ingress-0", two.address());
    std::set<std::string> expected;
    for (int i = 0; i < 50; ++i) {
        expected.insert("urn:" + std::to_string(i));
        ASSERT_EQ(ingress.register_device("urn:" + std::to_string(i)).status(), RegistrationResult::STATUS_OK);
    }
    std::set<std::string> seen;
    while (seen != expected && watch.next_change()) {
        seen.insert(watch.message.device().endpoint());
        EXPECT_EQ(watch.message.device().registration().ingress_instance(), "ingress-0");
    }
    EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace lanyard::registry
