#include <future>

#include <gmock/gmock.h>

#include "identity/observation_token.hpp"
#include "operation_errors.hpp"
#include "rpc/status.hpp"
#include "service_fixture.hpp"

namespace lanyard::registry {
namespace {

namespace ops = operations::v1;
using internal::v1::DownlinkRequest;
using internal::v1::DownlinkResult;

class OperationTest : public ServiceTest {
  protected:
    OperationTest() : ingress_("ingress-0", registry_->address()) { ingress_.register_device("urn:a"); }

    grpc::Status read(const std::string& path, ops::ReadResourceResponse& response,
                      const std::string& endpoint = "urn:a", std::chrono::milliseconds timeout = kPatience) {
        Context context(timeout);
        ops::ReadResourceRequest request;
        request.set_device("tenants/default/devices/" + endpoint);
        request.set_path(path);
        return registry_->operations().ReadResource(&context, request, &response);
    }
    static std::string reason(const grpc::Status& status) { return rpc::details_of(status).value().reason; }

    FakeIngress ingress_;
};

TEST_F(OperationTest, ReadDecodesTheAnswer) {
    DownlinkRequest seen;
    ingress_.set_device([&](const DownlinkRequest& request, DownlinkResult& result) {
        seen = request;
        result.set_coap_code(0x45);
        result.set_content_format(0);
        result.set_payload("21.5");
    });
    ops::ReadResourceResponse response;
    const grpc::Status status = read("/3303/0/5700", response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.coap_code(), "2.05");
    ASSERT_EQ(response.nodes_size(), 1);
    EXPECT_EQ(response.nodes(0).path(), "/3303/0/5700");
    EXPECT_DOUBLE_EQ(response.nodes(0).double_value(), 21.5);
    EXPECT_EQ(seen.request().method(), 1U);
    EXPECT_EQ(seen.request().path(), "/3303/0/5700");
    EXPECT_EQ(seen.owner().node(), ingress_.node());
    EXPECT_EQ(seen.generation(), 1U);
}

TEST_F(OperationTest, ErrorsOfTheDeviceFollowTheMap) {
    const std::pair<std::uint32_t, grpc::StatusCode> map[] = {
        {0x80, grpc::StatusCode::INVALID_ARGUMENT}, {0x81, grpc::StatusCode::PERMISSION_DENIED},
        {0x84, grpc::StatusCode::NOT_FOUND},        {0x85, grpc::StatusCode::FAILED_PRECONDITION},
        {0x86, grpc::StatusCode::UNIMPLEMENTED},    {0x8f, grpc::StatusCode::UNIMPLEMENTED},
        {0x88, grpc::StatusCode::ABORTED},          {0x8d, grpc::StatusCode::OUT_OF_RANGE},
        {0xa0, grpc::StatusCode::INTERNAL},         {0xa3, grpc::StatusCode::UNAVAILABLE},
    };
    for (const auto& [coap, expected] : map) {
        ingress_.set_device([code = coap](const auto&, DownlinkResult& result) { result.set_coap_code(code); });
        ops::ReadResourceResponse response;
        const grpc::Status status = read("/3/0/1", response);
        EXPECT_EQ(status.error_code(), expected) << coap;
        const auto details = rpc::details_of(status);
        ASSERT_TRUE(details);
        EXPECT_EQ(details->metadata.at("coap_code").size(), 4U);
    }
}

// What a device says stands in a status of gRPC, whose texts are UTF-8: other bytes would fail the whole answer.
TEST_F(OperationTest, DiagnosticsOfTheDeviceAreMadePrintable) {
    ingress_.set_device([](const auto&, DownlinkResult& result) {
        result.set_coap_code(0x84);
        result.set_payload("gone \xff\n" + std::string(500, 'x'));
    });
    ops::ReadResourceResponse response;
    const grpc::Status status = read("/3/0/1", response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr("the device answered 4.04 \"gone ??xxx"));
    EXPECT_LT(status.error_message().size(), 200U);
    EXPECT_EQ(rpc::details_of(status).value().metadata.at("coap_code"), "4.04");
}

TEST_F(OperationTest, SuccessCodesOfOtherOperationsAreErrors) {
    ingress_.set_device([](const auto&, DownlinkResult& result) { result.set_coap_code(0x44); });
    ops::ReadResourceResponse response;
    const grpc::Status status = read("/3/0/1", response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(rpc::details_of(status).value().metadata.at("coap_code"), "2.04");
}

TEST_F(OperationTest, DiscoverRefusesLinksThatAreNotText) {
    ingress_.set_device([](const auto&, DownlinkResult& result) {
        result.set_coap_code(0x45);
        result.set_payload("</3303/0>;name=\"\xff\"");
    });
    Context context;
    ops::DiscoverResourcesRequest request;
    request.set_device("tenants/default/devices/urn:a");
    request.set_path("/3303");
    ops::DiscoverResourcesResponse response;
    const grpc::Status status = registry_->operations().DiscoverResources(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr("UTF-8"));
}

TEST_F(OperationTest, DevicesThatCannotAnswerAreToldApart) {
    ops::ReadResourceResponse response;
    EXPECT_EQ(read("/3/0/1", response, "urn:nobody").error_code(), grpc::StatusCode::NOT_FOUND);
    ingress_.register_device("urn:q", true, runtime::now().wall_ms - 200000);
    const grpc::Status sleeping = read("/3/0/1", response, "urn:q");
    EXPECT_EQ(sleeping.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(reason(sleeping), "DEVICE_SLEEPING");
    EXPECT_TRUE(rpc::details_of(sleeping)->retry_after) << "a device in queue mode comes back by itself";
    ASSERT_TRUE(create("urn:off").ok());
    EXPECT_EQ(reason(read("/3/0/1", response, "urn:off")), "DEVICE_OFFLINE");
    // Nobody answers for urn:a.
    EXPECT_EQ(read("/3/0/1", response, "urn:a", 300ms).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(OperationTest, BadPathsAreRefusedBeforeTheDeviceIsAsked) {
    ops::ReadResourceResponse response;
    for (const char* path : {"", "/", "/0/0/0", "/21/0", "/23", "/x", "/1/2/3/4/5", "/65535"}) {
        const grpc::Status status = read(path, response);
        EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << path;
        EXPECT_EQ(rpc::details_of(status)->fields.at(0).field, "path");
    }
}

TEST_F(OperationTest, WhatOnlyTheDeviceShowsToBeWrongNamesTheFieldToo) {
    Context context;
    ops::WriteResourceRequest write;
    write.set_device("tenants/default/devices/urn:a");
    write.set_path("/1/0/1");
    write.add_nodes()->set_path("/1/0/1");
    write.mutable_nodes(0)->set_string_value("soon");
    ops::WriteResourceResponse written;
    const grpc::Status bad_value = registry_->operations().WriteResource(&context, write, &written);
    EXPECT_EQ(bad_value.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(rpc::details_of(bad_value)->fields.at(0).field, "nodes");

    Context other;
    ops::DiscoverResourcesRequest discover;
    discover.set_device("tenants/default/devices/urn:a");
    discover.set_path("/3/0/11/0");
    ops::DiscoverResourcesResponse links;
    const grpc::Status too_deep = registry_->operations().DiscoverResources(&other, discover, &links);
    EXPECT_EQ(too_deep.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(rpc::details_of(too_deep)->fields.at(0).field, "path");
}

TEST_F(OperationTest, AFullRegistryDoesNotBlameTheDevice) {
    DownlinkResult full;
    full.set_outcome(DownlinkResult::OUTCOME_OVERLOADED);
    const grpc::Status status = status_unanswered(full);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(reason(status), "TOO_MANY_REQUESTS");
    EXPECT_TRUE(rpc::details_of(status)->retry_after);
}

TEST_F(OperationTest, WriteExecuteDiscoverAndAttributes) {
    DownlinkRequest seen;
    ingress_.set_device([&](const DownlinkRequest& request, DownlinkResult& result) {
        seen = request;
        result.set_coap_code(request.request().method() == 1 ? 0x45 : 0x44);
        if (request.request().method() == 1) result.set_payload("</3303/0>;pmin=5,</3303/0/5700>");
    });
    {
        Context context;
        ops::WriteResourceRequest request;
        request.set_device("tenants/default/devices/urn:a");
        request.set_path("/1/0/1");
        request.add_nodes()->set_path("/1/0/1");
        request.mutable_nodes(0)->set_int_value(60);
        ops::WriteResourceResponse response;
        const auto status = registry_->operations().WriteResource(&context, request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        EXPECT_EQ(response.coap_code(), "2.04");
        EXPECT_EQ(seen.request().method(), 3U);
        EXPECT_EQ(seen.request().payload(), "60");
    }
    {
        Context context;
        ops::ExecuteResourceRequest request;
        request.set_device("tenants/default/devices/urn:a");
        request.set_path("/3/0/4");
        ops::ExecuteResourceResponse response;
        const auto status = registry_->operations().ExecuteResource(&context, request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        EXPECT_EQ(seen.request().method(), 2U);
    }
    {
        Context context;
        ops::WriteAttributesRequest request;
        request.set_device("tenants/default/devices/urn:a");
        request.set_path("/3303/0/5700");
        (*request.mutable_attributes())["pmin"] = "10";
        (*request.mutable_attributes())["pmax"] = "60";
        ops::WriteAttributesResponse response;
        const auto status = registry_->operations().WriteAttributes(&context, request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        ASSERT_EQ(seen.request().queries_size(), 2);
        EXPECT_EQ(seen.request().queries(0), "pmin=10");
    }
    {
        Context context;
        ops::DiscoverResourcesRequest request;
        request.set_device("tenants/default/devices/urn:a");
        request.set_path("/3303/0");
        ops::DiscoverResourcesResponse response;
        const auto status = registry_->operations().DiscoverResources(&context, request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        ASSERT_EQ(response.links_size(), 2);
        EXPECT_EQ(response.links(0).attributes().at("pmin"), "5");
        EXPECT_EQ(seen.request().accept(), 40U);
    }
}

// A client of the router, as the observation service is.
class RouterClient final
    : public rpc::BatchStreamClient<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>::Handler {
    using Stream = rpc::BatchStreamClient<internal::v1::DownlinkBatch, internal::v1::DownlinkResultBatch>;

  public:
    explicit RouterClient(const std::string& address)
        : stub_(internal::v1::DownlinkService::NewStub(rpc::make_channel(address))) {
        stream_ = std::make_unique<Stream>(
            [stub = stub_](auto* context, auto* reactor) { stub->async()->Exchange(context, reactor); },
            rpc::BatchStreamConfig{}, *this);
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return ready_; }));
    }
    ~RouterClient() override { stream_.reset(); }
    DownlinkResult call(DownlinkRequest request) {
        request.set_id(42);
        EXPECT_TRUE(stream_->send(std::move(request)));
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [this] { return result_.has_value(); }));
        auto result = result_.value_or(DownlinkResult());
        result_.reset();
        return result;
    }
    void on_ready(internal::v1::DownlinkBatch&) override {
        const std::lock_guard lock(mutex_);
        ready_ = true;
        changed_.notify_all();
    }
    void on_batch(internal::v1::DownlinkResultBatch& batch) override {
        const std::lock_guard lock(mutex_);
        result_ = batch.results(0);
        changed_.notify_all();
    }
    void on_down(const Error&, std::vector<DownlinkRequest>) override {}

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ready_ = false;
    std::optional<DownlinkResult> result_;
    std::shared_ptr<internal::v1::DownlinkService::Stub> stub_;
    std::unique_ptr<Stream> stream_;
};

TEST_F(OperationTest, RouterFindsTheOwnerAgainWhenTheHintIsOld) {
    FakeIngress former("ingress-1", registry_->address());
    former.set_device(
        [](const auto&, DownlinkResult& result) { result.set_outcome(DownlinkResult::OUTCOME_NOT_OWNER); });
    ingress_.set_device([](const auto&, DownlinkResult& result) { result.set_coap_code(0x45); });
    RouterClient client(registry_->address());
    v1::Device device;
    ASSERT_TRUE(get("urn:a", device).ok());
    DownlinkRequest request;
    request.set_device_number(device.device_number());
    request.set_timeout_ms(5000);
    request.mutable_request()->set_method(1);
    request.mutable_request()->set_path("/3/0");
    request.mutable_owner()->set_node(former.node());
    DownlinkResult result = client.call(request);
    EXPECT_EQ(result.outcome(), DownlinkResult::OUTCOME_ANSWERED) << result.message();
    EXPECT_EQ(result.id(), 42U);
    request.mutable_owner()->set_node(9999);
    EXPECT_EQ(client.call(request).outcome(), DownlinkResult::OUTCOME_ANSWERED);
    request.clear_owner();
    request.set_generation(7);
    EXPECT_EQ(client.call(request).outcome(), DownlinkResult::OUTCOME_OFFLINE);
    request.set_device_number(64 * 7000 + 1);
    EXPECT_EQ(client.call(request).outcome(), DownlinkResult::OUTCOME_UNKNOWN_DEVICE);
    EXPECT_EQ(client.call({}).outcome(), DownlinkResult::OUTCOME_INVALID);
}

// This replica has looked the device up at its former ingress; the other one registers it anew at another.
TEST_F(OperationTest, ADeviceThatMovedByAnotherReplicaIsFoundAndItsFormerIngressIsTold) {
    Replica other("two", *kafka_, cluster_);
    FakeIngress now("ingress-2", other.address());
    ingress_.set_device([](const DownlinkRequest& request, DownlinkResult& result) {
        result.set_coap_code(0x45);
        if (request.generation() != 1) result.set_outcome(DownlinkResult::OUTCOME_NOT_OWNER);
    });
    ops::ReadResourceResponse response;
    ASSERT_TRUE(read("/3/0/1", response).ok());

    std::promise<DownlinkRequest> told;
    ingress_.set_device([&](const DownlinkRequest& request, DownlinkResult& result) {
        result.set_outcome(DownlinkResult::OUTCOME_NOT_OWNER);
        if (request.fences()) told.set_value(request);
    });
    now.set_device([](const auto&, DownlinkResult& result) { result.set_coap_code(0x45); });
    const auto moved = now.register_device("urn:a");
    auto fence = told.get_future();
    ASSERT_EQ(fence.wait_for(kPatience), std::future_status::ready);
    const DownlinkRequest fenced = fence.get();
    EXPECT_EQ(fenced.device_number(), moved.registration().device_number());
    EXPECT_EQ(fenced.owner().node(), ingress_.node());
    EXPECT_EQ(fenced.owner().epoch(), moved.registration().epoch());
    for (int i = 0; i < 2; ++i) {
        const grpc::Status status = read("/3/0/1", response);
        EXPECT_TRUE(status.ok()) << status.error_message();
    }
}

TEST_F(OperationTest, WhatIsKnownOfADeviceIsNeverTheReasonOfARefusal) {
    int asked = 0;
    ingress_.set_device([&asked](const DownlinkRequest&, DownlinkResult& result) {
        result.set_outcome(++asked == 2 ? DownlinkResult::OUTCOME_OFFLINE : DownlinkResult::OUTCOME_ANSWERED);
        result.set_coap_code(0x45);
    });
    ops::ReadResourceResponse response;
    ASSERT_TRUE(read("/3/0/1", response).ok()) << "looked up, and known from now on";
    const grpc::Status status = read("/3/0/1", response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(asked, 3) << "refused as it was known, looked up again";
}

TEST_F(OperationTest, RouterRemembersWhatAnObservationAsksFor) {
    ingress_.set_device([](const auto&, DownlinkResult& result) { result.set_coap_code(0x45); });
    RouterClient client(registry_->address());
    internal::v1::RegistrationCommand resolve;
    resolve.mutable_resolve()->set_spec(5);
    EXPECT_EQ(ingress_.call(resolve).status(), internal::v1::RegistrationResult::STATUS_UNKNOWN);
    v1::Device device;
    ASSERT_TRUE(get("urn:a", device).ok());
    DownlinkRequest request;
    request.set_device_number(device.device_number());
    request.mutable_request()->set_method(1);
    request.mutable_request()->set_path("/3303/0/5700");
    request.mutable_request()->set_accept(112);
    request.mutable_request()->set_observe(0);
    const auto token = identity::make_observation_token(kClusterKey, {device.device_number()}, 5, 1);
    request.mutable_request()->set_token(token.data(), token.size());
    EXPECT_EQ(client.call(request).outcome(), DownlinkResult::OUTCOME_ANSWERED);
    const auto result = ingress_.call(resolve);
    ASSERT_EQ(result.status(), internal::v1::RegistrationResult::STATUS_OK);
    EXPECT_EQ(result.observed().method(), 1U);
    EXPECT_EQ(result.observed().path(), "/3303/0/5700");
    EXPECT_FALSE(result.observed().has_observe());
    EXPECT_FALSE(result.observed().has_accept());
    EXPECT_TRUE(result.observed().token().empty());
    resolve.mutable_resolve()->set_spec(0);
    EXPECT_EQ(ingress_.call(resolve).status(), internal::v1::RegistrationResult::STATUS_INVALID);
}

TEST_F(OperationTest, RouterSaysUnavailableWhenTheOwnerIsGone) {
    auto gone = std::make_unique<FakeIngress>("ingress-9", registry_->address());
    gone->register_device("urn:gone");
    gone.reset();
    ops::ReadResourceResponse response;
    EXPECT_EQ(read("/3/0", response, "urn:gone").error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace lanyard::registry
