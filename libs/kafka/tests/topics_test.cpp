#include <gtest/gtest.h>

#include "kafka/admin.hpp"
#include "kafka/mock_cluster.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(KafkaTopics, AreOnlyLookedAtWhereTheClusterHasNoAdminApi) {
    const auto cluster = MockCluster::start().value();
    cluster->create_topic("small", 1).value();
    const std::array wanted{TopicSpec{.name = "small", .partitions = 6, .config = {{"cleanup.policy", "compact"}}},
                            TopicSpec{.name = "none", .partitions = 12}};
    const auto report = manage_topics({.bootstrap = cluster->bootstrap()}, ManageTopics::create, wanted, seconds(10));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->limited);
    EXPECT_TRUE(report->created.empty());
    ASSERT_EQ(report->warnings.size(), 1U);
    EXPECT_EQ(report->warnings[0],
              "topic small has 1 partitions, wanted 6 partitions; topic none is missing (12 partitions)");
}

TEST(KafkaTopics, AreUnavailableWithoutABroker) {
    const std::array wanted{TopicSpec{.name = "t"}};
    const auto report = manage_topics({.bootstrap = "127.0.0.1:1"}, ManageTopics::verify, wanted, milliseconds(300));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::unavailable);
}

TEST(KafkaTopics, AreLeftAloneWhenOff) {
    EXPECT_TRUE(manage_topics({.bootstrap = "127.0.0.1:1"}, ManageTopics::off, {}, milliseconds(1)));
}

}  // namespace
}  // namespace lanyard::kafka
