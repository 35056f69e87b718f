#include "device_service.hpp"

#include <set>

#include "identity/observation_token.hpp"
#include "registry/memory_device_store.hpp"
#include "rpc/status.hpp"
#include "service_fixture.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::RegistrationResult;

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

}  // namespace
}  // namespace lanyard::registry
