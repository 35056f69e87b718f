#include "lwm2m_proto/node.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace lanyard::lwm2m_proto {
namespace {

using lwm2m::Record;
using lwm2m::Records;
using lwm2m::Value;
using operations::v1::Node;

// Through a node list and back.
Result<Records> round(const Record& record) {
    google::protobuf::RepeatedPtrField<Node> nodes;
    to_node(record, *nodes.Add());
    return to_records(nodes);
}

TEST(Node, HoldsEveryTypeOfValue) {
    const Value values[] = {
        std::int64_t{-5}, std::uint64_t{1} << 63,  21.5, true, std::string("text"), Bytes{0x00, 0xff},
        lwm2m::Time{-7},  lwm2m::ObjectLink{66, 0}};
    for (const Value& value : values) {
        const Record record{{3303, 0, 5700}, value, {}};
        const auto back = round(record);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, Records{record}) << lwm2m::to_string(lwm2m::type_of(value));
        Node node;
        set_value(node, value);
        EXPECT_EQ(type_of(node), lwm2m::type_of(value));
    }
}

TEST(Node, ShowsACoreLinkAsString) {
    const auto back = round({{25, 0, 0}, lwm2m::CoreLink{"</3/0>"}, {}});
    ASSERT_TRUE(back);
    EXPECT_EQ(back->front().value, Value(std::string("</3/0>")));
}

TEST(Node, KeepsTheTimeOfMeasurementAlsoBeforeTheEpoch) {
    for (const UnixMillis time : {UnixMillis{1764000000456}, UnixMillis{0}, UnixMillis{-1500}}) {
        const Record record{{3303, 0, 5700, 1}, 1.0, time};
        const auto back = round(record);
        ASSERT_TRUE(back);
        EXPECT_EQ(back->front().time, time);
    }
}

TEST(Node, TimesThatATimestampCannotHoldAreClamped) {
    Node node;
    to_node({{3303, 0, 5700, 1}, 1.0, UnixMillis{9'000'000'000'000'000}}, node);
    EXPECT_EQ(node.measure_time().seconds(), 253402300799);
    to_node({{3303, 0, 5700, 1}, 1.0, UnixMillis{-9'000'000'000'000'000}}, node);
    EXPECT_EQ(node.measure_time().seconds(), -62135596800);
    set_value(node, lwm2m::Time{std::numeric_limits<std::int64_t>::max()});
    EXPECT_EQ(node.time_value().seconds(), 253402300799);
}

TEST(Node, OfARequestHasATimeThatIsOne) {
    google::protobuf::RepeatedPtrField<Node> nodes;
    Node& node = *nodes.Add();
    node.set_path("/3303/0/5700");
    node.set_double_value(1);
    node.mutable_measure_time()->set_seconds(std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(to_records(nodes).error().message, "measure_time: not a time of the years 1 to 9999");
    node.mutable_measure_time()->set_seconds(1);
    node.mutable_measure_time()->set_nanos(-1);
    EXPECT_EQ(to_records(nodes).error().code, Errc::invalid_argument);
}

TEST(Node, OfARequestNeedsAPathAndAValue) {
    google::protobuf::RepeatedPtrField<Node> nodes;
    Node& node = *nodes.Add();
    node.set_path("/3/0/1");
    EXPECT_EQ(to_records(nodes).error().message, "a node has no value");
    EXPECT_EQ(type_of(node), lwm2m::ValueType::none);
    EXPECT_EQ(value_of(node).value(), Value());
    node.set_objlnk_value("66");
    EXPECT_EQ(to_records(nodes).error().code, Errc::invalid_argument);
    node.set_bool_value(true);
    EXPECT_TRUE(to_records(nodes));
    node.set_path("3303/x");
    EXPECT_EQ(to_records(nodes).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace lanyard::lwm2m_proto
