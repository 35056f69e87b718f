#include "lwm2m/attributes.hpp"

#include <gtest/gtest.h>

namespace lanyard::lwm2m {
namespace {

using Query = std::vector<std::string_view>;
using Texts = std::vector<std::string>;

TEST(Attributes, ReadsEveryName) {
    const auto attributes = parse_attributes(
        Query{"pmin=1", "pmax=5", "gt=-1.5", "lt=-20", "st=0.5", "epmin=1", "epmax=2", "edge=1", "con=0", "hqmax=9"});
    ASSERT_TRUE(attributes.has_value());
    EXPECT_EQ(attributes->gt, -1.5);
    EXPECT_EQ(attributes->edge, true);
    EXPECT_EQ(attributes->con, false);
    EXPECT_EQ(to_query(*attributes), (Texts{"pmin=1", "pmax=5", "gt=-1.5", "lt=-20", "st=0.5", "epmin=1", "epmax=2",
                                            "edge=1", "con=0", "hqmax=9"}));
}

TEST(Attributes, RemovesWhatHasNoValue) {
    const auto change = parse_attributes(Query{"pmin", "pmax=10"}).value();
    EXPECT_EQ(change.unset, std::vector{AttributeName::pmin});
    EXPECT_EQ(to_query(change), (Texts{"pmax=10", "pmin"}));
    Attributes current;
    current.pmin = 3;
    current.st = 1;
    const Attributes merged = merge(current, change);
    EXPECT_EQ(merged.pmin, std::nullopt);
    EXPECT_EQ(merged.pmax, 10U);
    EXPECT_EQ(merged.st, 1.0);
    EXPECT_TRUE(Attributes{}.empty());
    EXPECT_FALSE(change.empty());
}

TEST(Attributes, RejectsBadValues) {
    for (const char* bad : {"pmin=-1", "pmin=x", "pmin=", "pmin=4294967296", "gt=", "gt=x", "gt=nan", "gt=1e999",
                            "edge=2", "con=true", "dim=2", "", "=1"}) {
        EXPECT_EQ(parse_attributes(Query{bad}).error().code, Errc::invalid_argument) << bad;
    }
    EXPECT_FALSE(parse_attributes(Query{"pmin=1", "pmin"}).has_value());
}

bool is_valid(const Query& query, const Path& path = {3303, 0, 5700}, ValueType type = ValueType::none) {
    return validate(parse_attributes(query).value(), path, type).has_value();
}

TEST(Attributes, ChecksTheRulesOfThresholds) {  // Transport 1.1 section 6.4.4
    EXPECT_TRUE(is_valid({"pmin=1", "pmax=5", "lt=5"}));
    EXPECT_TRUE(is_valid({"gt=45", "st=10"}));
    EXPECT_TRUE(is_valid({"lt=20", "gt=85", "st=10"}));
    EXPECT_FALSE(is_valid({"lt=40", "gt=50", "st=10"}));
    EXPECT_FALSE(is_valid({"lt=50", "gt=20"}));
    EXPECT_FALSE(is_valid({"lt=5", "gt=5"}));
    EXPECT_FALSE(is_valid({"lt=1", "gt=21", "st=10"}));
    EXPECT_FALSE(is_valid({"st=-1"}));
}

TEST(Attributes, ChecksPeriods) {
    EXPECT_TRUE(is_valid({"epmin=1", "epmax=2"}));
    EXPECT_FALSE(is_valid({"epmin=2", "epmax=2"}));
    EXPECT_TRUE(is_valid({"pmin=10", "pmax=5"})) << "the device ignores pmax then";
}

TEST(Attributes, ChecksLevelAndType) {
    EXPECT_FALSE(is_valid({"gt=1"}, {3303, 0}));
    EXPECT_TRUE(is_valid({"pmin=1"}, {3303}));
    EXPECT_TRUE(is_valid({"gt=1"}, {3, 0, 7, 0}, ValueType::integer));
    EXPECT_FALSE(is_valid({"gt=1"}, {3, 0, 0}, ValueType::string));
    EXPECT_TRUE(is_valid({"edge=1"}, {3342, 0, 5500}, ValueType::boolean));
    EXPECT_FALSE(is_valid({"edge=1"}, {3303, 0, 5700}, ValueType::floating));
}

TEST(Attributes, NeedsNumbersInLinks) {
    EXPECT_FALSE(attributes_of({"/3", true, {{"pmin", "x"}}}).has_value());
    EXPECT_EQ(attributes_of({"/3", true, {{"pmin", "4"}, {"ver", "1.1"}, {"obs", std::nullopt}}})->pmin, 4U);
}

}  // namespace
}  // namespace lanyard::lwm2m
