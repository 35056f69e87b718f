#include <gtest/gtest.h>

#include "coap/observe.hpp"
#include "coap/tx_params.hpp"

namespace lanyard::coap {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 7252 section 4.8.2, figures 14 and 15.
TEST(TxParams, DerivesTheTimesOfTheRfc) {
    const TxParams params;
    EXPECT_EQ(params.max_transmit_span(), seconds(45));
    EXPECT_EQ(params.max_transmit_wait(), seconds(93));
    EXPECT_EQ(params.max_rtt(), seconds(202));
    EXPECT_EQ(params.exchange_lifetime(), seconds(247));
    EXPECT_EQ(params.non_lifetime(), seconds(145));
    EXPECT_EQ(params.separate_ack_delay(), milliseconds(1500));
}

TEST(TxParams, SpreadsTheFirstTimeoutOverTheRandomFactor) {
    const TxParams params;
    EXPECT_EQ(params.initial_timeout(0), seconds(2));
    EXPECT_EQ(params.initial_timeout(0xffffffff), seconds(3));
}

TEST(TxParams, NamesWhatIsOutOfRange) {
    EXPECT_TRUE(validated({}).has_value());
    TxParams params;
    params.ack_timeout = milliseconds(1);
    EXPECT_EQ(validated(params).error().message, "ack_timeout: must be 10ms..3600s");
    params = {};
    params.ack_random_factor = 0.5;
    EXPECT_FALSE(validated(params).has_value());
    params = {};
    params.max_retransmit = 11;
    EXPECT_FALSE(validated(params).has_value());
    params = {};
    params.processing_delay = seconds(-1);
    EXPECT_FALSE(validated(params).has_value());
    params = {};
    params.max_latency = seconds(-1);
    EXPECT_FALSE(validated(params).has_value());
}

const SteadyTime kStart{seconds(5)};

TEST(ObserveFreshness, FollowsTheSequence) {
    EXPECT_TRUE(is_fresh({1, kStart}, {2, kStart}));
    EXPECT_FALSE(is_fresh({2, kStart}, {2, kStart}));
    EXPECT_FALSE(is_fresh({3, kStart}, {2, kStart}));
}
TEST(ObserveFreshness, WrapsAt24Bits) {
    EXPECT_TRUE(is_fresh({0xffffff, kStart}, {0, kStart}));
    EXPECT_FALSE(is_fresh({0, kStart}, {0xffffff, kStart}));
    EXPECT_FALSE(is_fresh({0, kStart}, {1U << 23, kStart}));
    EXPECT_TRUE(is_fresh({0, kStart}, {(1U << 23) - 1, kStart}));
}
TEST(ObserveFreshness, TakesAnythingAfter128Seconds) {
    EXPECT_FALSE(is_fresh({9, kStart}, {2, kStart + seconds(128)}));
    EXPECT_TRUE(is_fresh({9, kStart}, {2, kStart + seconds(128) + milliseconds(1)}));
}

}  // namespace
}  // namespace lanyard::coap
