#include <gtest/gtest.h>

#include "device/attribute_table.hpp"
#include "device/endpoint_pattern.hpp"
#include "device/limits.hpp"
#include "device/notify_rules.hpp"
#include "device/temperature_sensor.hpp"

namespace lanyard::device {
namespace {

TEST(EndpointPattern, PadsTheNumber) {
    EXPECT_EQ(EndpointPattern().name(42), "sensor-0000042");
    EXPECT_EQ(EndpointPattern::parse("a%ub")->name(42), "a42b");
    EXPECT_EQ(EndpointPattern::parse("urn:dev:%03u")->name(12345), "urn:dev:12345");
}

TEST(EndpointPattern, RefusesOtherConversions) {
    for (const char* bad : {"sensor", "%d", "%s-%u", "%u%u", "%7u", "%099u", "%", "a/%u"}) {
        EXPECT_FALSE(EndpointPattern::parse(bad).has_value()) << bad;
    }
}

TEST(NotifyRules, TheDeepestLevelWins) {
    std::vector<lwm2m::Attributes> levels(3);
    levels[0].pmin = 5;
    levels[0].pmax = 100;
    levels[2].pmin = 7;
    levels[2].gt = 30;
    const NotifyRules rules = effective_rules(levels);
    EXPECT_EQ(rules.pmin_s, 7U);
    EXPECT_EQ(rules.pmax_s, 100U);
    EXPECT_EQ(rules.gt, 30);
}

TEST(NotifyRules, IgnoresPmaxBelowPmin) {
    std::vector<lwm2m::Attributes> levels(1);
    levels[0].pmin = 50;
    levels[0].pmax = 20;
    EXPECT_EQ(effective_rules(levels).pmax_s, 0U);
}

TEST(NotifyRules, ConditionsOfCore73) {
    NotifyRules none;
    EXPECT_TRUE(condition_met(none, {20, 20, 20.01}));
    EXPECT_FALSE(condition_met(none, {20, 21, 20}));
    NotifyRules gt;
    gt.gt = 25;
    EXPECT_TRUE(condition_met(gt, {20, 24.9, 25.1}));
    EXPECT_TRUE(condition_met(gt, {20, 25.1, 24.9})) << "either direction";
    EXPECT_FALSE(condition_met(gt, {20, 25.1, 26}));
    NotifyRules st;
    st.st = 2;
    EXPECT_TRUE(condition_met(st, {20, 21.9, 22}));
    EXPECT_FALSE(condition_met(st, {20, 15, 21.9}));
}

TEST(AttributeTable, KeepsEqualCombinationsOnce) {
    AttributeTable table;
    lwm2m::Attributes pmin;
    pmin.pmin = 10;
    const auto one = table.change(AttributeTable::kNone, lwm2m::Path{3303}, pmin);
    const auto same = table.change(AttributeTable::kNone, lwm2m::Path{3303}, pmin);
    ASSERT_TRUE(one && same);
    EXPECT_EQ(*one, *same);
    lwm2m::Attributes unset;
    unset.unset.push_back(lwm2m::AttributeName::pmin);
    EXPECT_EQ(*table.change(*one, lwm2m::Path{3303}, unset), AttributeTable::kNone);
    EXPECT_EQ(table.rules(*one, lwm2m::Path{3303, 0, 5700}).pmin_s, 10U);
}

TEST(AttributeTable, IsBounded) {
    AttributeTable table;
    Result<AttributeTable::SetId> last = AttributeTable::kNone;
    for (std::uint32_t i = 0; i < kMaxAttributeSets + 5; ++i) {
        lwm2m::Attributes pmin;
        pmin.pmin = i + 1;
        last = table.change(AttributeTable::kNone, lwm2m::Path{3303}, pmin);
    }
    ASSERT_FALSE(last.has_value());
    EXPECT_EQ(last.error().code, Errc::resource_exhausted);
}

TEST(TemperatureSensor, StaysPlausibleAndFollowsTheDay) {
    SmallRandom random(1, 2);
    TemperatureSensor sensor;
    sensor.start(random, 0);
    double at_five = 0;
    double at_seventeen = 0;
    for (std::int64_t second = 0; second < 86'400; second += 10) {
        sensor.sample(random, second * 1'000);
        EXPECT_GT(degrees(sensor.value), 10);
        EXPECT_LT(degrees(sensor.value), 32);
        if (second == 5 * 3'600) at_five = degrees(sensor.value);
        if (second == 17 * 3'600) at_seventeen = degrees(sensor.value);
    }
    EXPECT_GT(at_seventeen, at_five + 4);
    EXPECT_LE(sensor.min, sensor.value);
    EXPECT_GE(sensor.max, sensor.value);
}

TEST(TemperatureSensor, CountsThroughAllValuesBeforeOneComesAgain) {
    TemperatureSensor sensor{0, 0, 0};
    std::vector<bool> seen(65'536);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        sensor.count();
        const auto index = static_cast<std::size_t>(sensor.value + 32'768);
        ASSERT_FALSE(seen[index]) << sensor.value;
        seen[index] = true;
    }
    EXPECT_EQ(sensor.value, 0);
    EXPECT_EQ(sensor.min, -32'768);
}

TEST(TemperatureSensor, SameSeedSameWalk) {
    SmallRandom a(5, 6);
    SmallRandom b(5, 6);
    SmallRandom other(5, 7);
    EXPECT_EQ(a.next(), b.next());
    EXPECT_NE(a.next(), other.next());
}

}  // namespace
}  // namespace lanyard::device
