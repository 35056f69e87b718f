#include "device_service.hpp"

#include <set>
#include <thread>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "device_view.hpp"
#include "identity/observation_token.hpp"
#include "identity/sealed_token.hpp"
#include "list_tokens.hpp"
#include "registry/memory_device_store.hpp"
#include "rpc/status.hpp"
#include "service_fixture.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::RegistrationResult;
using v1::WatchDevicesResponse;

TEST_F(ServiceTest, ARegisteredDeviceIsOnline) {
    FakeIngress ingress("ingress-0", registry_->address());
    const RegistrationResult result = ingress.register_device("urn:a");
    ASSERT_EQ(result.status(), RegistrationResult::STATUS_OK) << result.message();
    EXPECT_EQ(result.registration().generation(), 1U);
    EXPECT_EQ(result.registration().endpoint(), "urn:a");
    v1::Device device;
    ASSERT_TRUE(get("urn:a", device).ok());
    EXPECT_EQ(device.state(), v1::Device::STATE_ONLINE);
    EXPECT_EQ(device.registration().registration_id().size(), 24U);
    EXPECT_EQ(device.registration().lifetime_seconds(), 300);
    EXPECT_EQ(device.device_number(), result.registration().device_number());
    EXPECT_EQ(device.registration().ingress_instance(), "ingress-0");
}

TEST_F(ServiceTest, AQueueModeDeviceSleepsAfterItsAwakeWindow) {
    FakeIngress ingress("ingress-0", registry_->address());
    ingress.register_device("urn:q", true, runtime::now().wall_ms - 200000);
    v1::Device device;
    ASSERT_TRUE(get("urn:q", device).ok());
    EXPECT_EQ(device.state(), v1::Device::STATE_SLEEPING);
}

TEST_F(ServiceTest, TenantPolicyDecidesWhoMayRegister) {
    FakeIngress ingress("ingress-0", registry_->address());
    internal::v1::RegistrationCommand command;
    command.mutable_register_()->set_tenant("strict");
    command.mutable_register_()->set_endpoint("urn:a");
    EXPECT_EQ(ingress.call(command).status(), RegistrationResult::STATUS_FORBIDDEN);
    command.mutable_register_()->set_tenant("nobody");
    EXPECT_EQ(ingress.call(command).status(), RegistrationResult::STATUS_FORBIDDEN);
    command.mutable_register_()->set_tenant("default");
    command.mutable_register_()->set_endpoint("a/b");
    EXPECT_EQ(ingress.call(command).status(), RegistrationResult::STATUS_INVALID);
    command.mutable_register_()->set_endpoint("urn:a");
    command.mutable_register_()->mutable_parameters()->set_object_links(std::string(70000, 'x'));
    EXPECT_EQ(ingress.call(command).status(), RegistrationResult::STATUS_TOO_LARGE);
    EXPECT_EQ(ingress.call({}).status(), RegistrationResult::STATUS_INVALID);
}

TEST_F(ServiceTest, WhoAdoptsADeviceIsToldItsObjects) {
    FakeIngress ingress("ingress-0", registry_->address());
    const auto owned = ingress.register_device("urn:a").registration();
    internal::v1::RegistrationCommand adopt;
    adopt.mutable_adopt()->set_device_number(owned.device_number());
    adopt.mutable_adopt()->set_generation(owned.generation());
    const RegistrationResult adopted = ingress.call(adopt);
    const auto& ids = adopted.registration().objects();
    EXPECT_EQ(std::vector<std::uint32_t>(ids.begin(), ids.end()), (std::vector<std::uint32_t>{3, 3303}));
}

TEST_F(ServiceTest, AnAdoptedDeviceIsFencedAtItsFormerOwner) {
    FakeIngress one("ingress-0", registry_->address());
    FakeIngress two("ingress-1", registry_->address());
    EXPECT_NE(one.node(), two.node());
    const auto owned = one.register_device("urn:a").registration();
    internal::v1::RegistrationCommand adopt;
    adopt.mutable_adopt()->set_device_number(owned.device_number());
    adopt.mutable_adopt()->set_generation(owned.generation());
    adopt.mutable_adopt()->set_received_ms(runtime::now().wall_ms);
    const RegistrationResult result = two.call(adopt);
    ASSERT_EQ(result.status(), RegistrationResult::STATUS_OK);
    const auto fenced = one.wait_for_fence();
    EXPECT_EQ(fenced.device_number(), owned.device_number());
    EXPECT_EQ(fenced.epoch(), owned.epoch() + 1);
    v1::Device device;
    ASSERT_TRUE(get("urn:a", device).ok());
    EXPECT_EQ(device.registration().ingress_instance(), "ingress-1");
    internal::v1::RegistrationCommand update;
    update.mutable_update()->set_device_number(owned.device_number());
    update.mutable_update()->set_generation(owned.generation());
    update.mutable_update()->set_epoch(owned.epoch());
    EXPECT_EQ(one.call(update).status(), RegistrationResult::STATUS_STALE);
    update.mutable_update()->set_generation(77);
    EXPECT_EQ(one.call(update).status(), RegistrationResult::STATUS_UNKNOWN);
}

TEST_F(ServiceTest, QueueModeIsStoredWithoutABinding) {
    FakeIngress ingress("ingress-0", registry_->address());
    const auto owned = ingress.register_device("urn:a").registration();
    EXPECT_FALSE(owned.queue_mode());
    internal::v1::RegistrationCommand update;
    update.mutable_update()->set_device_number(owned.device_number());
    update.mutable_update()->set_generation(owned.generation());
    update.mutable_update()->set_epoch(owned.epoch());
    update.mutable_update()->mutable_parameters()->set_queue_mode(true);
    EXPECT_TRUE(ingress.call(update).registration().queue_mode());
    update.mutable_update()->mutable_parameters()->clear_queue_mode();
    update.mutable_update()->mutable_parameters()->set_binding("UT");
    EXPECT_TRUE(ingress.call(update).registration().queue_mode()) << "not told, so it stays";
    update.mutable_update()->mutable_parameters()->set_queue_mode(false);
    EXPECT_FALSE(ingress.call(update).registration().queue_mode());
}

TEST_F(ServiceTest, AForgedTokenAdoptsNothing) {
    FakeIngress one("ingress-0", registry_->address());
    FakeIngress two("ingress-1", registry_->address());
    const auto owned = one.register_device("urn:a").registration();
    const auto adopt = [&](std::uint32_t device, std::uint32_t generation, unsigned flipped) {
        auto token = identity::make_observation_token(kClusterKey, {device}, 5, generation);
        token.back() = static_cast<std::uint8_t>(token.back() ^ flipped);
        internal::v1::RegistrationCommand command;
        command.mutable_adopt()->set_device_number(owned.device_number());
        command.mutable_adopt()->set_token(token.data(), token.size());
        command.mutable_adopt()->set_received_ms(runtime::now().wall_ms);
        return two.call(command);
    };
    EXPECT_EQ(adopt(owned.device_number(), owned.generation(), 1).status(), RegistrationResult::STATUS_UNKNOWN);
    EXPECT_EQ(adopt(owned.device_number(), owned.generation() + 1, 0).status(), RegistrationResult::STATUS_UNKNOWN);
    EXPECT_EQ(adopt(owned.device_number() + 64, owned.generation(), 0).status(), RegistrationResult::STATUS_UNKNOWN);
    internal::v1::RegistrationCommand bare;
    bare.mutable_adopt()->set_device_number(owned.device_number());
    EXPECT_EQ(two.call(bare).status(), RegistrationResult::STATUS_UNKNOWN);

    const auto result = adopt(owned.device_number(), owned.generation(), 0);
    ASSERT_EQ(result.status(), RegistrationResult::STATUS_OK);
    EXPECT_EQ(result.registration().epoch(), owned.epoch() + 1) << "the refused ones must not have raised it";
    EXPECT_EQ(one.wait_for_fence().epoch(), owned.epoch() + 1);
}

TEST_F(ServiceTest, ADeviceIsUnknownToTheListenersOfOtherTenants) {
    FakeIngress one("ingress-0", registry_->address());
    FakeIngress two("ingress-1", registry_->address());
    const auto owned = one.register_device("urn:a").registration();
    internal::v1::RegistrationCommand leave;
    leave.mutable_deregister()->set_device_number(owned.device_number());
    leave.mutable_deregister()->set_generation(owned.generation());
    leave.mutable_deregister()->set_tenant("strict");
    EXPECT_EQ(two.call(leave).status(), RegistrationResult::STATUS_UNKNOWN);
    internal::v1::RegistrationCommand adopt;
    adopt.mutable_adopt()->set_device_number(owned.device_number());
    adopt.mutable_adopt()->set_generation(owned.generation());
    adopt.mutable_adopt()->set_tenant("strict");
    EXPECT_EQ(two.call(adopt).status(), RegistrationResult::STATUS_UNKNOWN);
    const auto token = identity::make_observation_token(kClusterKey, {owned.device_number()}, 5, owned.generation());
    adopt.mutable_adopt()->clear_generation();
    adopt.mutable_adopt()->set_token(token.data(), token.size());
    EXPECT_EQ(two.call(adopt).status(), RegistrationResult::STATUS_UNKNOWN);
    adopt.mutable_adopt()->set_tenant("default");
    adopt.mutable_adopt()->set_remote_address("127.0.0.1:2");
    adopt.mutable_adopt()->set_same_address(true);
    EXPECT_EQ(two.call(adopt).status(), RegistrationResult::STATUS_UNKNOWN);
    adopt.mutable_adopt()->set_remote_address("127.0.0.1:1");
    EXPECT_EQ(two.call(adopt).status(), RegistrationResult::STATUS_OK);
    leave.mutable_deregister()->set_tenant("default");
    EXPECT_EQ(two.call(leave).status(), RegistrationResult::STATUS_OK);
}

TEST_F(ServiceTest, DeregisterDeviceEndsTheRegistrationAndTellsItsOwner) {
    FakeIngress ingress("ingress-0", registry_->address());
    const auto owned = ingress.register_device("urn:a").registration();
    const auto deregister = [&] {
        Context context;
        v1::DeregisterDeviceRequest request;
        request.set_name("tenants/default/devices/urn:a");
        v1::Device device;
        return registry_->devices().DeregisterDevice(&context, request, &device);
    };
    ASSERT_TRUE(deregister().ok());
    EXPECT_EQ(ingress.wait_for_fence().epoch(), owned.epoch() + 1);
    v1::Device device;
    ASSERT_TRUE(get("urn:a", device).ok());
    EXPECT_EQ(device.state(), v1::Device::STATE_OFFLINE);
    EXPECT_FALSE(device.has_registration());
    EXPECT_EQ(deregister().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ServiceTest, LinksAreLimitedByTheTenant) {
    FakeIngress ingress("ingress-0", registry_->address());
    const auto owned = ingress.register_device("urn:a").registration();
    internal::v1::RegistrationCommand update;
    update.mutable_update()->set_device_number(owned.device_number());
    update.mutable_update()->set_generation(owned.generation());
    update.mutable_update()->set_epoch(owned.epoch());
    update.mutable_update()->set_tenant("default");
    update.mutable_update()->mutable_parameters()->set_object_links(std::string(16385, 'x'));
    RegistrationResult result = ingress.call(update);
    EXPECT_EQ(result.status(), RegistrationResult::STATUS_TOO_LARGE);
    EXPECT_EQ(result.size_max(), 16384U);
    internal::v1::RegistrationCommand again;
    again.mutable_register_()->set_tenant("default");
    again.mutable_register_()->set_endpoint("urn:a");
    again.mutable_register_()->mutable_parameters()->set_object_links(std::string(16385, 'x'));
    result = ingress.call(again);
    EXPECT_EQ(result.status(), RegistrationResult::STATUS_TOO_LARGE);
    EXPECT_EQ(result.size_max(), 16384U);
}

TEST_F(ServiceTest, ListWalksPagesAndRefusesForeignTokens) {
    std::set<std::string> expected;
    for (int i = 0; i < 70; ++i) {
        const std::string endpoint = "urn:" + std::to_string(i);
        ASSERT_TRUE(create(endpoint, i % 2 == 0 ? "even" : "odd").ok());
        if (i % 2 == 0) expected.insert(endpoint);
    }
    v1::ListDevicesRequest request;
    request.set_parent("tenants/default");
    request.set_page_size(10);
    request.set_filter("labels.site = even AND state = PROVISIONED");
    std::set<std::string> found;
    std::string some_token;
    do {
        Context context;
        v1::ListDevicesResponse page;
        ASSERT_TRUE(registry_->devices().ListDevices(&context, request, &page).ok());
        EXPECT_LE(page.devices_size(), 10);
        for (const auto& device : page.devices()) EXPECT_TRUE(found.insert(device.endpoint()).second);
        request.set_page_token(page.next_page_token());
        if (!page.next_page_token().empty()) some_token = page.next_page_token();
    } while (!request.page_token().empty());
    EXPECT_EQ(found, expected);

    const auto code = [&](const std::string& filter, const std::string& token) {
        Context context;
        v1::ListDevicesResponse page;
        request.set_filter(filter);
        request.set_page_token(token);
        return registry_->devices().ListDevices(&context, request, &page).error_code();
    };
    EXPECT_EQ(code("state = ONLINE", some_token), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(code("", "bm9uc2Vuc2U"), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(code("color = red", ""), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServiceTest, UpdateChecksTheEtagAndTheMask) {
    ASSERT_TRUE(create("urn:a", "plant-1").ok());
    v1::Device before;
    ASSERT_TRUE(get("urn:a", before).ok());
    v1::UpdateDeviceRequest request;
    request.mutable_device()->set_name(before.name());
    request.mutable_device()->set_display_name("Pump");
    request.mutable_device()->set_etag(before.etag());
    request.mutable_update_mask()->add_paths("display_name");
    v1::Device after;
    const auto update = [&] {
        Context context;
        return registry_->devices().UpdateDevice(&context, request, &after);
    };
    ASSERT_TRUE(update().ok());
    EXPECT_EQ(after.display_name(), "Pump");
    EXPECT_EQ(after.labels().at("site"), "plant-1");
    EXPECT_TRUE(after.enabled());
    EXPECT_EQ(update().error_code(), grpc::StatusCode::ABORTED);
    request.mutable_update_mask()->add_paths("state");
    EXPECT_EQ(update().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    request.clear_update_mask();
    request.mutable_device()->clear_etag();
    (*request.mutable_device()->mutable_labels())["Bad Key"] = "x";
    const grpc::Status refused = update();
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(rpc::details_of(refused)->fields.at(0).field, "device.labels");
}

TEST_F(ServiceTest, BatchGetTellsWhatIsMissingAndDeleteIsFinal) {
    ASSERT_TRUE(create("urn:a").ok());
    EXPECT_EQ(create("urn:a").error_code(), grpc::StatusCode::ALREADY_EXISTS);
    v1::BatchGetDevicesRequest batch;
    batch.set_parent("tenants/default");
    batch.add_names("tenants/default/devices/urn:a");
    batch.add_names("tenants/default/devices/urn:b");
    v1::BatchGetDevicesResponse found;
    Context first;
    ASSERT_TRUE(registry_->devices().BatchGetDevices(&first, batch, &found).ok());
    EXPECT_EQ(found.devices_size(), 1);
    ASSERT_EQ(found.missing_size(), 1);
    EXPECT_EQ(found.missing(0), "tenants/default/devices/urn:b");
    v1::DeleteDeviceRequest request;
    request.set_name("tenants/default/devices/urn:a");
    const auto remove = [&] {
        Context context;
        google::protobuf::Empty empty;
        return registry_->devices().DeleteDevice(&context, request, &empty).error_code();
    };
    EXPECT_EQ(remove(), grpc::StatusCode::OK);
    EXPECT_EQ(remove(), grpc::StatusCode::NOT_FOUND);
    request.set_allow_missing(true);
    EXPECT_EQ(remove(), grpc::StatusCode::OK);
    v1::Device device;
    EXPECT_EQ(get("urn:a", device).error_code(), grpc::StatusCode::NOT_FOUND);
}

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

TEST_F(ServiceTest, WatchGivesASnapshotThenChangesAndResumes) {
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

TEST_F(ServiceTest, WatchRefusesForgedTokensAndTooManyStreams) {
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

TEST_F(ServiceTest, AWatchFromBeforeWhatTheTopicKeepsIsOutOfRange) {
    std::string token;
    {
        Watch watch(*registry_, "");
        ASSERT_TRUE(watch.reader->Read(&watch.message));
        token = watch.message.resume_token();
        ASSERT_FALSE(token.empty());
    }
    constexpr std::int16_t kFetch = 1;             // API key
    constexpr std::int16_t kOffsetOutOfRange = 1;  // error code
    kafka_->fail_requests(kFetch, kOffsetOutOfRange, 10000);
    Watch late(*registry_, token);
    EXPECT_EQ(late.end().error_code(), grpc::StatusCode::OUT_OF_RANGE);
    kafka_->clear_failures(kFetch);
}

TEST_F(ServiceTest, AWatchFromBeforeTheKeptDeletionsIsOutOfRange) {
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

TEST_F(ServiceTest, AQuietWatchGetsTokensOfLaterTimes) {
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

TEST_F(ServiceTest, ASlowWatcherIsCutAndGoesOnWithItsLastToken) {
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

TEST_F(ServiceTest, ACallBeyondTheBoundOfTheLoopIsRefused) {
    Config config;
    MemoryDeviceStore store(make_memory_devices(), [](runtime::Task) {});
    NodeNames nodes(store);
    const auto full = [](runtime::Task) { return false; };
    DeviceService service(store, nodes, full, config, SipKey{}, nullptr, {});
    grpc::Service* const services[] = {&service};
    const auto server = std::move(*rpc::Server::start({}, services));
    const auto stub = v1::DeviceService::NewStub(rpc::make_channel(server->address()));
    Context context;
    v1::GetDeviceRequest request;
    request.set_name("tenants/default/devices/urn:a");
    v1::Device device;
    EXPECT_EQ(stub->GetDevice(&context, request, &device).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    server->shutdown(0ms);
}

TEST_F(ServiceTest, ASecondReplicaSharesTheLeasesAndTakesThemOver) {
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
