#include "filter/filter.hpp"

#include <map>

#include <gtest/gtest.h>

namespace lanyard::filter {
namespace {

class Fields final : public Subject {
  public:
    explicit Fields(std::map<std::string, std::string, std::less<>> values) : values_(std::move(values)) {}
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const override {
        const auto found = values_.find(name);
        return found == values_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    }

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

const Fields kDevice({{"endpoint", "urn:imei:1"}, {"state", "ONLINE"}, {"labels.site", "plant-1"}});

Result<Filter> parse(std::string_view text) {
    return Filter::parse(text, {"endpoint", "state", "labels.*"});
}

struct Case {
    const char* name;
    const char* text;
    bool matches;
};
void PrintTo(const Case& value, std::ostream* out) {
    *out << value.name;
}

class FilterTable : public testing::TestWithParam<Case> {};

TEST_P(FilterTable, Decides) {
    const auto filter = parse(GetParam().text);
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(filter->matches(kDevice), GetParam().matches) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, FilterTable,
    testing::Values(Case{"empty", "  ", true}, Case{"equal", "state = ONLINE", true},
                    Case{"quoted", "state = \"ONLINE\"", true}, Case{"different", "state = OFFLINE", false},
                    Case{"prefix", "endpoint = \"urn:*\"", true}, Case{"other_prefix", "endpoint = \"x*\"", false},
                    Case{"not_equal", "labels.site != \"plant-2\"", true},
                    Case{"unset_is_not_equal", "labels.room != \"1\"", true},
                    Case{"unset_is_not_equal_to_anything", "labels.room = \"\"", false},
                    Case{"set", "labels.site:*", true}, Case{"not_set", "labels.room:*", false},
                    Case{"negated", "NOT state = ONLINE", false}, Case{"twice_negated", "NOT NOT state = ONLINE", true},
                    Case{"conjunction", "state = ONLINE AND labels.site = \"plant-1\"", true},
                    Case{"or_binds_tighter", "state = ONLINE OR state = X AND endpoint = y", false},
                    Case{"parentheses", "state = ONLINE OR (state = X AND endpoint = y)", true},
                    Case{"not_of_group", "NOT (state = OFFLINE AND endpoint = y)", true},
                    Case{"no_spaces", "state=ONLINE AND labels.site=plant-1", true}),
    [](const auto& value) { return std::string(value.param.name); });

class FilterRefuses : public testing::TestWithParam<Case> {};

TEST_P(FilterRefuses, WithAnErrorForPeople) {
    const auto filter = parse(GetParam().text);
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().code, Errc::invalid_argument);
    EXPECT_NE(filter.error().message.find("filter"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, FilterRefuses,
    testing::Values(Case{"unknown_field", "color = red", false}, Case{"bare_prefix_of_map", "labels. = red", false},
                    Case{"no_value", "state =", false}, Case{"no_comparator", "state ONLINE", false},
                    Case{"open_quote", "state = \"ONL", false}, Case{"bad_escape", "state = \"a\\n\"", false},
                    Case{"open_parenthesis", "(state = A", false}, Case{"extra_parenthesis", "state = A)", false},
                    Case{"dangling_and", "state = A AND", false}, Case{"lonely_not", "NOT", false},
                    Case{"two_terms", "state = A state = B", false}, Case{"odd_character", "state = $", false},
                    Case{"lonely_bang", "state ! A", false}),
    [](const auto& value) { return std::string(value.param.name); });

TEST(FilterBounds, DeepNestingIsRefused) {
    EXPECT_FALSE(parse(std::string(100, '(') + "state = A" + std::string(100, ')')));
    EXPECT_TRUE(parse(std::string(10, '(') + "state = A" + std::string(10, ')')));
}

TEST(FilterBounds, ManyTermsAreRefused) {
    std::string text = "state = A";
    for (int i = 0; i < 64; ++i) text += " OR state = A";
    EXPECT_EQ(parse(text).error().code, Errc::too_large);
}

TEST(FilterBounds, LongTextIsRefused) {
    EXPECT_EQ(parse("state = " + std::string(3000, 'a')).error().code, Errc::too_large);
}

TEST(FilterHash, IgnoresSpacingAndSeesEveryPart) {
    EXPECT_EQ(parse("state=A AND endpoint=b")->hash(), parse(" state = \"A\"  AND endpoint = b ")->hash());
    EXPECT_NE(parse("state = A")->hash(), parse("state = B")->hash());
    EXPECT_NE(parse("state = A")->hash(), parse("state != A")->hash());
    EXPECT_NE(parse("state = A")->hash(), parse("state = A*")->hash());
}

}  // namespace
}  // namespace lanyard::filter
