#include "base/json_reader.hpp"

#include <gtest/gtest.h>

namespace lanyard {
namespace {

// Whether a text is one JSON value, by reading over it.
bool is_json(std::string_view text) {
    JsonReader in(text);
    in.skip();
    return in.finish();
}

TEST(JsonReader, GivesMembersInTheirOrder) {
    JsonReader in(R"( { "a" : "x" , "b":17,"c":[1,{"d":null}], "e":{"f":"g"} } )");
    std::string name;
    std::string text;
    in.open_object();
    ASSERT_TRUE(in.next_member(name));
    EXPECT_EQ(name, "a");
    ASSERT_TRUE(in.at_string());
    in.read_string(text);
    EXPECT_EQ(text, "x");
    ASSERT_TRUE(in.next_member(name));
    EXPECT_EQ(in.read_unsigned(), 17U);
    ASSERT_TRUE(in.next_member(name));
    in.skip();
    ASSERT_TRUE(in.next_member(name));
    ASSERT_TRUE(in.at_object());
    in.open_object();
    ASSERT_TRUE(in.next_member(name));
    EXPECT_EQ(name, "f");
    in.skip();
    EXPECT_FALSE(in.next_member(name));
    EXPECT_FALSE(in.next_member(name));
    EXPECT_TRUE(in.finish());
}

TEST(JsonReader, ReadsEveryEscapeOfStrings) {
    JsonReader in(R"("\"\\\/\b\f\n\r\t\u0041\u00e4\u20ac\ud83d\ude00")");
    std::string text;
    in.read_string(text);
    EXPECT_TRUE(in.finish());
    EXPECT_EQ(text, "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(JsonReader, GivesOnlyWholeNumbersWithoutSign) {
    const auto read = [](std::string_view text) {
        JsonReader in(text);
        const auto number = in.read_unsigned();
        EXPECT_TRUE(in.finish()) << text;
        return number;
    };
    EXPECT_EQ(read("0"), 0U);
    EXPECT_EQ(read("18446744073709551615"), 18446744073709551615U);
    EXPECT_EQ(read("7 "), 7U);
    for (const char* text : {"18446744073709551616", "-1", "1.5", "1e3", "\"1\"", "null", "[1]"}) {
        EXPECT_EQ(read(text), std::nullopt) << text;
    }
}

// The examples of RFC 8259 section 13 and what its grammar does not allow.
TEST(JsonReader, KnowsWhatIsJson) {
    for (const char* text : {"true", " [ ] ", "{}", "[1,2]", "-0.5e+7", R"({"Image":{"Width":800,"IDs":[116,943]}})",
                             R"([{"precision":"zip","Latitude":37.7668}])", "\"\xc3\xa4\""}) {
        EXPECT_TRUE(is_json(text)) << text;
    }
    for (const char* text : {"",
                             "[",
                             "{",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{a:1}",
                             "[1,]",
                             "[,1]",
                             "{\"a\":1,}",
                             "01",
                             "+1",
                             "1.",
                             ".5",
                             "1e",
                             "-",
                             "tru",
                             "nulls",
                             "\"",
                             "\"\\x\"",
                             "\"\\u12g4\"",
                             "\"\\ud800\"",
                             "\"\\udc00\"",
                             "\"\\ud800\\u0041\"",
                             "\"\n\"",
                             "\"\xff\"",
                             "1 2",
                             "[1}",
                             "{\"a\":1]"}) {
        EXPECT_FALSE(is_json(text)) << text;
    }
}

TEST(JsonReader, RefusesWhatIsTooDeep) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_TRUE(is_json(nested(JsonReader::kDepthMax)));
    EXPECT_FALSE(is_json(nested(JsonReader::kDepthMax + 1)));
    EXPECT_FALSE(is_json(std::string(1000000, '[')));
}

}  // namespace
}  // namespace lanyard
