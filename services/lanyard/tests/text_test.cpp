#include "text.hpp"

#include <gtest/gtest.h>

#include "exit_codes.hpp"
#include "rpc/status.hpp"
#include "typed_value.hpp"
#include "waiting_line.hpp"

namespace lanyard::cli {
namespace {

TEST(Table, PadsColumnsToTheirWidestCell) {
    EXPECT_EQ(format_table({{"A", "LONG", "C"}, {"wide", "x", "y"}}), "A     LONG  C\nwide  x     y\n");
}

TEST(WaitingLine, CountsFromTheFirstSecondOn) {
    using std::chrono::seconds;
    EXPECT_EQ(WaitingLine::text("sensor-1", seconds(0)), "");
    EXPECT_EQ(WaitingLine::text("sensor-1", seconds(12)), "\r\033[Kwaiting for sensor-1 ... 12 s");
}

TEST(Value, IsShownAsAPersonWritesIt) {
    operations::v1::Node node;
    node.set_double_value(21.1);
    EXPECT_EQ(format_value(node), "21.1");
    node.set_bool_value(true);
    EXPECT_EQ(format_value(node), "true");
    node.set_bytes_value(std::string("\x00\xff", 2));
    EXPECT_EQ(format_value(node), "00ff");
}

TEST(TypedValue, TakesTheTypeFromTheModel) {
    const auto lifetime = parse_typed_value("/1/0/1", "300", "");
    ASSERT_TRUE(lifetime) << lifetime.error().message;
    EXPECT_EQ(lifetime->int_value(), 300);
    EXPECT_EQ(parse_typed_value("/3303/0/5750", "12", "").value().string_value(), "12");
    EXPECT_EQ(parse_typed_value("1/0/6", "true", "").value().path(), "/1/0/6");
}

TEST(TypedValue, RefusesWhatDoesNotFit) {
    EXPECT_FALSE(parse_typed_value("/1/0/1", "soon", ""));
    EXPECT_FALSE(parse_typed_value("/1/0", "1", ""));
    EXPECT_FALSE(parse_typed_value("/65000/0/1", "1", "")) << "no model and no --type";
    EXPECT_TRUE(parse_typed_value("/65000/0/1", "1", "integer"));
    EXPECT_FALSE(parse_typed_value("/65000/0/1", "1", "word"));
}

TEST(ExitCode, TellsADeviceThatIsAwayFromOneThatRefuses) {
    const auto away = rpc::to_status(make_error(Errc::failed_precondition, "asleep"),
                                     {.reason = "DEVICE_SLEEPING", .metadata = {}, .fields = {}, .retry_after = {}});
    EXPECT_EQ(exit_code_of(away), ExitCode::not_reachable);
    const auto refuses = rpc::to_status(make_error(Errc::failed_precondition, "4.05"),
                                        {.reason = "COAP_ERROR", .metadata = {}, .fields = {}, .retry_after = {}});
    EXPECT_EQ(exit_code_of(refuses), ExitCode::refused);
}

}  // namespace
}  // namespace lanyard::cli
