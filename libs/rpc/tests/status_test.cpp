#include "rpc/status.hpp"

#include <gtest/gtest.h>

namespace lanyard::rpc {
namespace {

TEST(RpcStatus, GoesThereAndBackForEveryCode) {
    for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
        const auto code = static_cast<Errc>(i);
        EXPECT_EQ(from_grpc(to_grpc(code)), code) << to_string(code);
    }
}

TEST(RpcStatus, TakesForeignCodes) {
    EXPECT_EQ(from_grpc(grpc::StatusCode::UNAUTHENTICATED), Errc::permission_denied);
    EXPECT_EQ(from_grpc(grpc::StatusCode::UNKNOWN), Errc::internal);
    EXPECT_EQ(from_grpc(grpc::StatusCode::DATA_LOSS), Errc::internal);
}

TEST(RpcStatus, AlwaysCarriesAReason) {
    const auto status = to_status(make_error(Errc::not_found, "no device \"x\""));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(status.error_message(), "no device \"x\"");
    ASSERT_TRUE(details_of(status));
    EXPECT_EQ(details_of(status)->reason, "NOT_FOUND");
}

TEST(RpcStatus, CarriesMetadataAndRetryDelay) {
    const ErrorDetails details{.reason = "DEVICE_SLEEPING",
                               .metadata = {{"coap_code", "4.05"}},
                               .retry_after = std::chrono::milliseconds(1500)};
    const auto parsed = details_of(to_status(make_error(Errc::failed_precondition, "asleep"), details));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->reason, "DEVICE_SLEEPING");
    EXPECT_EQ(parsed->metadata.at("coap_code"), "4.05");
    EXPECT_EQ(parsed->retry_after, std::chrono::milliseconds(1500));
}

TEST(RpcStatus, NamesTheBadField) {
    const auto status = invalid_field("device.endpoint", "must not be empty");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(status.error_message(), "device.endpoint: must not be empty");
    const auto details = details_of(status);
    ASSERT_TRUE(details && details->fields.size() == 1);
    EXPECT_EQ(details->fields[0].field, "device.endpoint");
    EXPECT_EQ(details->reason, "INVALID_FIELD");
}

TEST(RpcStatus, ToleratesDetailsThatAreGarbage) {
    EXPECT_FALSE(details_of(grpc::Status(grpc::StatusCode::INTERNAL, "x", "\xff\xff\xff")));
    EXPECT_FALSE(details_of(grpc::Status(grpc::StatusCode::INTERNAL, "x")));
}

}  // namespace
}  // namespace lanyard::rpc
