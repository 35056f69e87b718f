#include <gtest/gtest.h>

#include "support.hpp"

namespace lanyard::lwm2m {
namespace {

// T-01: Core 1.2 section 7.5.5.1, with the missing octet of "Lightweight" restored.
const std::string kDevice =
    "c800144f70656e204d6f62696c6520416c6c69616e6365c801164c69676874776569676874204d324d20436c69656e74c80209333435303030"
    "313233c303312e30860641000141010588070842000ed842011388870841007d42010384c10964c10a0f830b410000c40d5182428fc60e2b30"
    "323a3030c11055";

Result<Records> tlv(const std::string& bytes, const Path& base, const ModelView& models = registry_models()) {
    return decode(ContentFormat::tlv, hex(bytes), {.base = base, .models = models});
}

const TestModels kLinkModels({{{65, 0}, ValueType::object_link},
                              {{65, 1}, ValueType::string},
                              {{65, 2}, ValueType::integer},
                              {{66, 0}, ValueType::string},
                              {{66, 1}, ValueType::string},
                              {{66, 2}, ValueType::object_link}});

TEST(TlvDecode, ReadsAnInstanceWithoutWrapper) {  // T-01
    EXPECT_EQ(rows(tlv(kDevice, {3, 0})), kDeviceRows);
}

TEST(TlvDecode, ReadsAnInstanceWithWrapper) {  // T-02
    EXPECT_EQ(rows(tlv("080079" + kDevice, {3})), kDeviceRows);
    EXPECT_EQ(rows(tlv("080079" + kDevice, {3, 0})), kDeviceRows);
}

TEST(TlvDecode, TakesAnObjectWithoutWrapperForItsInstanceZero) {
    EXPECT_EQ(rows(tlv(kDevice, {3})), kDeviceRows);
}

TEST(TlvDecode, ReadsTwoInstancesAndSixteenBitIds) {  // T-03: Core 1.2 section 7.5.5.2 B
    const Rows expected{"/2/0/0 integer 1",     "/2/0/1 integer 0",     "/2/0/2/127 integer 7",
                        "/2/0/3 integer 127",   "/2/2/0 integer 3",     "/2/2/1 integer 0",
                        "/2/2/2/127 integer 7", "/2/2/2/310 integer 1", "/2/2/3 integer 127"};
    EXPECT_EQ(rows(tlv("08000ec10001c101008302417f07c1037f080212c10003c101008702417f0761013601c1037f", {2})), expected);
}

TEST(TlvDecode, ReadsTheServerObject) {  // T-04: Core 1.2 section 7.5.5.2 C, length corrected
    const Rows expected{"/1/0/0 integer 1", "/1/0/1 integer 86400", "/1/0/6 boolean true", "/1/0/7 string U"};
    EXPECT_EQ(rows(tlv("08000fc10001c40100015180c10601c10755", {1})), expected);
}

TEST(TlvDecode, ReadsObjectLinks) {  // T-05: Core 1.2 section 7.5.5.3 example 1
    const Rows expected{"/65/0/0/0 objlnk 66:0", "/65/0/0/1 objlnk 66:1", "/65/0/1 string 8613800755500",
                        "/65/0/2 integer 305419896"};
    EXPECT_EQ(
        rows(tlv("88000c440000420000440100420001c8010d38363133383030373535353030c40212345678", {65, 0}, kLinkModels)),
        expected);
}

TEST(TlvDecode, ReadsTheNullLink) {  // T-06: Core 1.2 section 7.5.5.3 example 2, lengths corrected
    const Rows expected{"/66/0/0 string myService 1", "/66/0/1 string Internet.15.234", "/66/0/2 objlnk 67:0",
                        "/66/1/0 string myService 2", "/66/1/1 string Internet.15.235", "/66/1/2 objlnk 65535:65535"};
    EXPECT_EQ(rows(tlv("080026c8000b6d79536572766963652031c8010f496e7465726e65742e31352e323334c40200430000080126c8000b"
                       "6d79536572766963652032c8010f496e7465726e65742e31352e323335c402ffffffff",
                       {66}, kLinkModels)),
              expected);
}

TEST(TlvDecode, ReadsPartialWrites) {  // T-07, T-08, T-10: ETS int-215, int-651, int-1202
    EXPECT_EQ(rows(tlv("c10265c20303f2c20507d0c10601c10755", {1, 0})),
              (Rows{"/1/0/2 integer 101", "/1/0/3 integer 1010", "/1/0/5 integer 2000", "/1/0/6 boolean true",
                    "/1/0/7 string U"}));
    EXPECT_EQ(rows(tlv("c40d5182428fc60e2b30323a3030c80f0c4575726f70652f5061726973", {3, 0})),
              (Rows{"/3/0/13 time 1367491215", "/3/0/14 string +02:00", "/3/0/15 string Europe/Paris"}));
    EXPECT_EQ(rows(tlv("c10e02", {10, 0})), (Rows{"/10/0/14 unsigned 2"}));
}

TEST(TlvDecode, ReadsACreate) {  // T-09: ETS int-1630, type octet corrected
    const Rows expected{"/16/1/0/0 string Host Device ID #2", "/16/1/0/1 string Host Device Model #2"};
    EXPECT_EQ(rows(tlv("08012e88002b480011486f737420446576696365204944202332480114486f737420446576696365204d6f64656c20"
                       "2332",
                       {16})),
              expected);
}

TEST(TlvDecode, ReadsFloatsOfBothWidths) {
    EXPECT_EQ(rows(tlv("e4164441ac0000", {3303, 0})), (Rows{"/3303/0/5700 float 21.5"}));
    EXPECT_EQ(rows(tlv("e8164408403599999999999a", {3303, 0})), (Rows{"/3303/0/5700 float 21.6"}));
}

TEST(TlvDecode, ReadsIntegersOfEveryWidth) {
    EXPECT_EQ(rows(tlv("c109ff", {3, 0})), (Rows{"/3/0/9 integer -1"}));
    EXPECT_EQ(rows(tlv("c2098000", {3, 0})), (Rows{"/3/0/9 integer -32768"}));
    EXPECT_EQ(rows(tlv("c40980000000", {3, 0})), (Rows{"/3/0/9 integer -2147483648"}));
    EXPECT_EQ(rows(tlv("c809087fffffffffffffff", {3, 0})), (Rows{"/3/0/9 integer 9223372036854775807"}));
}

TEST(TlvDecode, GivesUnknownResourcesAsOpaque) {
    EXPECT_EQ(rows(tlv("c2000102", {40000, 1})), (Rows{"/40000/1/0 opaque AQI="}));
}

TEST(TlvDecode, ReadsResourceLevelsWithAndWithoutWrapper) {
    EXPECT_EQ(rows(tlv("8606410001410105", {3, 0, 6})), (Rows{"/3/0/6/0 integer 1", "/3/0/6/1 integer 5"}));
    EXPECT_EQ(rows(tlv("8306410105", {3, 0, 6, 1})), (Rows{"/3/0/6/1 integer 5"}));
    EXPECT_EQ(rows(tlv("410105", {3, 0, 6, 1})), (Rows{"/3/0/6/1 integer 5"}));
    EXPECT_EQ(rows(tlv("8006", {3, 0, 6})), Rows{});
}

struct Bad {
    const char* name;
    std::string bytes;
    Path base;
};
void PrintTo(const Bad& bad, std::ostream* out) {
    *out << bad.name;
}

class TlvRejects : public testing::TestWithParam<Bad> {};
TEST_P(TlvRejects, Payload) {
    const auto records = tlv(GetParam().bytes, GetParam().base);
    ASSERT_FALSE(records.has_value());
    EXPECT_EQ(records.error().code, Errc::invalid_argument);
}
INSTANTIATE_TEST_SUITE_P(
    Tlv, TlvRejects,
    testing::Values(
        Bad{"T-E1: an octet is missing in a string",
            "c800144f70656e204d6f62696c6520416c6c69616e6365c801164c696768747765696774204d324d20436c69656e74c80209333435"
            "303030313233c303312e30860641000141010588070842000ed842011388870841007d42010384c10964c10a0f830b410000c40d51"
            "82428fc60e2b30323a3030c11055",
            {3, 0}},
        Bad{"T-E2: the instance is longer than it says", "08000dc10001c40100015180c10601c10755", {1}},
        Bad{"T-E3: garbage", "0011223344556677889900", {3, 0}}, Bad{"length beyond the end", "c80aff", {3, 0}},
        Bad{"three byte length beyond the end", "d80affffff00", {3, 0}}, Bad{"type octet alone", "c8", {3, 0}},
        Bad{"integer of three bytes", "c309010203", {3, 0}}, Bad{"integer of no bytes", "c009", {3, 0}},
        Bad{"float of two bytes", "e216440102", {3303, 0}}, Bad{"boolean of two bytes", "c2060001", {1, 0}},
        Bad{"boolean 2", "c10602", {1, 0}}, Bad{"string that is not UTF-8", "c100ff", {3, 0}},
        Bad{"reserved id", "e1ffff01", {3, 0}}, Bad{"resource instance in an object instance", "410105", {3, 0}},
        Bad{"resource among object instances", "080003c10901c10901", {3}}, Bad{"no base path", "c10901", {}},
        Bad{"another instance", "080103c10901", {3, 0}}, Bad{"another resource", "c10a01", {3, 0, 9}}));

TEST(TlvEncode, WritesWhatTheExamplesShow) {
    struct Case {
        std::string bytes;
        Path base;
    };
    const Case cases[] = {
        {kDevice, {3, 0}},
        {"080079" + kDevice, {3}},
        {"08000ec10001c101008302417f07c1037f080212c10003c101008702417f0761013601c1037f", {2}},
        {"c10265c20303f2c20507d0c10601c10755", {1, 0}},
        {"e4164441ac0000", {3303, 0, 5700}},
        {"e8164408403599999999999a", {3303, 0, 5700}},
        {"8306410105", {3, 0, 6, 1}},
    };
    for (const auto& item : cases) {
        const auto records = tlv(item.bytes, item.base);
        ASSERT_TRUE(records.has_value()) << records.error().message;
        EXPECT_EQ(to_hex(encode(ContentFormat::tlv, item.base, *records).value()), item.bytes);
    }
}

TEST(TlvEncode, GroupsRecordsInAnyOrder) {
    const Records records{
        {{3, 0, 6, 1}, std::int64_t{5}, {}}, {{3, 0, 0}, std::string("x"), {}}, {{3, 0, 6, 0}, std::int64_t{1}, {}}};
    EXPECT_EQ(to_hex(encode(ContentFormat::tlv, {3, 0}, records).value()),
              "c10078860641000141010"
              "5");
}

TEST(TlvEncode, ConvertsToTheTypeOfTheModel) {
    const Records whole{{{3303, 0, 5700}, std::int64_t{21}, {}}};
    EXPECT_EQ(to_hex(encode(ContentFormat::tlv, {3303, 0}, whole).value()), "e4164441a80000");
}

TEST(TlvEncode, RefusesWhatItCannotCarry) {
    const Record value{{3, 0, 9}, std::int64_t{1}, {}};
    EXPECT_FALSE(encode(ContentFormat::tlv, {}, Records{value}).has_value());
    EXPECT_FALSE(encode(ContentFormat::tlv, {1, 0}, Records{value}).has_value());
    EXPECT_FALSE(encode(ContentFormat::tlv, {3, 0}, Records{{{3, 0, 9}, {}, {}}}).has_value());
    EXPECT_FALSE(encode(ContentFormat::tlv, {3, 0}, Records{value, {{3, 0, 9, 0}, std::int64_t{1}, {}}}).has_value());
    EXPECT_FALSE(encode(ContentFormat::tlv, {3, 0}, Records{{{3, 0, 9}, std::string("x"), {}}}).has_value());
}

TEST(TlvEncode, KeepsTheLastOfSeveralValues) {
    const Records records{{{3, 0, 9}, std::int64_t{1}, 1000}, {{3, 0, 9}, std::int64_t{2}, 2000}};
    EXPECT_EQ(to_hex(encode(ContentFormat::tlv, {3, 0}, records).value()), "c10902");
}

}  // namespace
}  // namespace lanyard::lwm2m
