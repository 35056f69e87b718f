#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json_text.hpp"
#include "base/rfc3339.hpp"
#include "base/utf8.hpp"

namespace lanyard {
namespace {

TEST(Utf8, KnowsWellFormedText) {
    for (const char* good :
         {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x94\xa5", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    for (const char* bad : {"\x80", "\xff", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xc3", "\xe2\x28\xa1"}) {
        EXPECT_FALSE(is_utf8(bad)) << bad;
    }
}

TEST(Utf8, ReplacesByteByByte) {
    EXPECT_EQ(to_utf8("a\xffz\xed\xa0\x80\xc3\xa9"), "a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
}

TEST(JsonText, EscapesWhatAStringMayNotHold) {
    for (const auto& [in, out] : std::vector<std::pair<std::string, std::string>>{
             {"\xc3\xa9", "\"\xc3\xa9\""},                  // e acute stays
             {"\xf0\x9f\x94\xa5", "\"\xf0\x9f\x94\xa5\""},  // four bytes stay
             {"a\xff", "\"a\\ufffd\""},
             {"\xc0\xaf", "\"\\ufffd\\ufffd\""},             // overlong slash
             {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},  // surrogate
             {"\xe2\x82", "\"\\ufffd\\ufffd\""},             // cut short
             {"\n\r\t\x1b\x7f", "\"\\n\\r\\t\\u001b\\u007f\""},
             {std::string("\0\"\\", 3), "\"\\u0000\\\"\\\\\""}}) {
        std::string json;
        append_json_string(json, in);
        EXPECT_EQ(json, out);
    }
}

TEST(Rfc3339, IsUtcWithMillisecondsAndClamped) {
    const auto text = [](UnixMillis ms) {
        std::string out;
        append_rfc3339(out, ms);
        return out;
    };
    EXPECT_EQ(text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(text(951782400001), "2000-02-29T00:00:00.001Z");
    EXPECT_EQ(text(std::numeric_limits<UnixMillis>::max()), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(text(std::numeric_limits<UnixMillis>::min()), "0000-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace lanyard
