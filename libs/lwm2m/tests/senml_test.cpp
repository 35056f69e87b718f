#include <gtest/gtest.h>

#include "support.hpp"

namespace lanyard::lwm2m {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

Result<Records> json(std::string_view text, const Path& base = {}, const ModelView& models = registry_models()) {
    return decode(ContentFormat::senml_json, as_bytes(text), {.base = base, .models = models, .received_ms = kNow});
}

Result<Records> cbor(std::string_view text, const Path& base = {}, const ModelView& models = registry_models()) {
    return decode(ContentFormat::senml_cbor, hex(text), {.base = base, .models = models, .received_ms = kNow});
}

// SC-01: Core 1.2 section 7.5.7.
constexpr std::string_view kDeviceCbor =
    "90a321652f332f302f00613003744f70656e204d6f62696c6520416c6c69616e6365a200613103764c69676874776569676874204d324d2043"
    "6c69656e74a20061320369333435303030313233a20061330363312e30a20063362f300201a20063362f310205a20063372f3002190ed8a200"
    "63372f3102191388a20063382f3002187da20063382f3102190384a2006139021864a200623130020fa2006431312f300200a200623133021a"
    "5182428fa20062313403662b30323a3030a200623136036155";

// SJ-01: Core 1.2 section 7.5.6, without line breaks.
constexpr std::string_view kDeviceJson =
    R"([{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"1","vs":"Lightweight M2M Client"},)"
    R"({"n":"2","vs":"345000123"},{"n":"3","vs":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"7/0","v":3800},)"
    R"({"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},{"n":"10","v":15},)"
    R"({"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","vs":"+02:00"},{"n":"16","vs":"U"}])";

TEST(SenmlJson, ReadsAnInstance) {
    EXPECT_EQ(rows(json(kDeviceJson, {3, 0})), kDeviceRows);
}  // SJ-01
TEST(SenmlCbor, ReadsAnInstance) {
    EXPECT_EQ(rows(cbor(kDeviceCbor, {3, 0})), kDeviceRows);
}  // SC-01

TEST(SenmlEncode, WritesWhatTheExamplesShow) {
    const Records records = json(kDeviceJson, {3, 0}).value();
    EXPECT_EQ(text(encode(ContentFormat::senml_json, {3, 0}, records).value()), kDeviceJson);
    EXPECT_EQ(to_hex(encode(ContentFormat::senml_cbor, {3, 0}, records).value()), kDeviceCbor);
}

const TestModels kHistoryModels({{{72, 2}, ValueType::floating}});

TEST(SenmlJson, CountsSmallTimesFromNow) {  // SJ-02: Core 1.2 section 7.5.6; base time below 2^28
    constexpr UnixMillis kBase = kNow + 25'462'634'000;
    EXPECT_EQ(rows(json(R"([{"bn":"/72/","bt":25462634,"n":"1/2","v":22.4,"t":-5},{"n":"1/2","v":22.9,"t":-30},)"
                        R"({"n":"1/2","v":24.1,"t":-50}])",
                        {}, kHistoryModels)),
              (Rows{"/72/1/2 float 22.4 @" + std::to_string(kBase - 5000),
                    "/72/1/2 float 22.9 @" + std::to_string(kBase - 30000),
                    "/72/1/2 float 24.1 @" + std::to_string(kBase - 50000)}));
}

TEST(SenmlCbor, CountsSmallTimesFromNow) {  // SC-08
    const auto records = cbor(
        "83a521642f37322f221a0184876a0063312f3202fb40366666666666660624a30063312f3202fb4036e6666666666606381da300"
        "63312f3202fb403819999999999a063831",
        {72}, kHistoryModels);
    ASSERT_EQ(records->size(), 3U);
    EXPECT_EQ(records->at(2).time, kNow + (25'462'634 - 50) * 1000LL);
    EXPECT_EQ(std::get<double>(records->at(0).value), 22.4);
}

TEST(SenmlJson, TakesGreatTimesAsAbsolute) {  // RFC 8428 section 4.5.3: 2^28 and above
    EXPECT_EQ(json(R"([{"n":"/3303/0/5700","v":1,"t":1700000000.25}])")->front().time, 1'700'000'000'250);
    EXPECT_EQ(json(R"([{"n":"/3303/0/5700","v":1,"t":268435456}])")->front().time, 268'435'456'000);
    EXPECT_EQ(json(R"([{"n":"/3303/0/5700","v":1,"t":268435455}])")->front().time, kNow + 268'435'455'000);
    EXPECT_EQ(json(R"([{"n":"/3303/0/5700","v":1}])")->front().time, std::nullopt);
    EXPECT_EQ(json(R"([{"n":"/3303/0/5700","v":1,"t":0}])")->front().time, kNow);
}

TEST(SenmlJson, ReadsObjectLinks) {  // SJ-03: Core 1.2 section 7.5.6
    EXPECT_EQ(rows(json(R"([{"bn":"/","n":"65/0/0/0","vlo":"66:0"},{"n":"65/0/0/1","vlo":"66:1"},)"
                        R"({"n":"65/0/1","vs":"8613800755500"},{"n":"66/1/2","vlo":"FFFF:FFFF"}])")),
              (Rows{"/65/0/0/0 objlnk 66:0", "/65/0/0/1 objlnk 66:1", "/65/0/1 string 8613800755500",
                    "/66/1/2 objlnk 65535:65535"}));
}

TEST(SenmlCbor, ReadsObjectLinksByTheirTextKey) {  // SC-09
    EXPECT_EQ(rows(cbor("82a321682f36352f302f302f00613063766c6f6436363a30a200613163766c6f6436363a31", {65, 0})),
              (Rows{"/65/0/0/0 objlnk 66:0", "/65/0/0/1 objlnk 66:1"}));
}

TEST(SenmlJson, TakesANameFromTheBaseAlone) {  // SJ-04
    EXPECT_EQ(rows(json(R"([{"bn":"/3/0/0","vs":"Open Mobile Alliance"}])", {3, 0, 0})),
              (Rows{"/3/0/0 string Open Mobile Alliance"}));
}

TEST(SenmlJson, ReadsCompositeRequestsAndAnswers) {  // SJ-05, SJ-06, SJ-07
    EXPECT_EQ(rows(json(R"([{"n":"/3/0/0"},{"n":"/3/0/9"},{"n":"/1/0/1"}])")),
              (Rows{"/3/0/0 none null", "/3/0/9 none null", "/1/0/1 none null"}));
    EXPECT_EQ(rows(json(R"([{"n":"/3/0/0","vs":"Open Mobile Alliance"},{"n":"/3/0/9","v":95},)"
                        R"({"n":"/1/0/1","v":86400}])")),
              (Rows{"/3/0/0 string Open Mobile Alliance", "/3/0/9 integer 95", "/1/0/1 integer 86400"}));
    EXPECT_EQ(rows(json(R"([{"bn":"/4/0/","n":"0"},{"n":"1"},{"n":"2"},{"bn":"/6/","n":"0"}])")),
              (Rows{"/4/0/0 none null", "/4/0/1 none null", "/4/0/2 none null", "/6/0 none null"}));
}

TEST(SenmlCbor, ReadsCompositeRequests) {  // SC-06, SC-07
    EXPECT_EQ(rows(cbor("83a100662f332f302f30a100662f332f302f39a100662f312f302f31")),
              (Rows{"/3/0/0 none null", "/3/0/9 none null", "/1/0/1 none null"}));
    EXPECT_EQ(rows(cbor("81a100612f")), (Rows{"/ none null"}));
}

TEST(SenmlJson, ReadsWritesAndSends) {  // SJ-08, SJ-09, SJ-11, SJ-12
    EXPECT_EQ(rows(json(R"([{"n":"/3311/0/5850","vb":false},{"n":"/3311/2/5851","v":20},)"
                        R"({"n":"/3308/0/5900","v":18}])")),
              (Rows{"/3311/0/5850 boolean false", "/3311/2/5851 integer 20", "/3308/0/5900 float 18"}));
    EXPECT_EQ(rows(json(R"([{"n":"/6/0/0","v":43.61092},{"n":"/6/0/1","v":3.87723},{"n":"/4/0/2","v":-49}])")),
              (Rows{"/6/0/0 float 43.61092", "/6/0/1 float 3.87723", "/4/0/2 integer -49"}));
    EXPECT_EQ(
        rows(json(R"([{"n":"/34/0/1/1","vs":"Yellow"},{"n":"/34/0/1/3","vs":"Blue"}])", {34, 0, 1}, TestModels({}))),
        (Rows{"/34/0/1/1 string Yellow", "/34/0/1/3 string Blue"}));
    EXPECT_EQ(rows(json(R"([{"bn":"/","n":"1/0/2","v":101},{"n":"1/0/6","vb":true},{"n":"3/0/13","v":0}])")),
              (Rows{"/1/0/2 integer 101", "/1/0/6 boolean true", "/3/0/13 time 0"}));
}

TEST(SenmlJson, ReadsAccessControl) {  // SJ-10: Core 1.2 section 6.1.7.4
    EXPECT_EQ(rows(json(R"([{"bn":"/2/","n":"0/0","v":1},{"n":"0/2/127","v":7},{"n":"2/2/310","v":7}])", {2})),
              (Rows{"/2/0/0 integer 1", "/2/0/2/127 integer 7", "/2/2/2/310 integer 7"}));
}

TEST(SenmlCbor, ReadsAWriteComposite) {  // SC-02
    EXPECT_EQ(rows(cbor("83a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200")),
              (Rows{"/1/0/2 integer 101", "/1/0/6 boolean true", "/3/0/13 time 0"}));
}

TEST(SenmlCbor, ReadsOpaqueAndHalfFloatInAnyFieldOrder) {  // SC-03, SC-04, SC-05
    EXPECT_EQ(rows(cbor("81a221662f302f302f330843abcdef")), (Rows{"/0/0/3 opaque q83v"}));
    EXPECT_EQ(rows(cbor("81a202f95cb0216b2f333434322f302f313330", {}, TestModels({}))),
              (Rows{"/3442/0/130 float 300"}));
    EXPECT_EQ(rows(cbor("82a321652f332f302f006139020fa2006232300204", {3, 0})),
              (Rows{"/3/0/9 integer 15", "/3/0/20 integer 4"}));
}

TEST(SenmlCbor, ReadsIndefiniteLengthsDecimalFractionsAndUnknownFields) {
    EXPECT_EQ(rows(cbor("9fbf006c2f333330332f302f3537303002c4822018e1ffff")), (Rows{"/3303/0/5700 float 22.5"}));
    // Unit "Cel", label 99 with a nested array, and a chunked name.
    EXPECT_EQ(rows(cbor("81a4016343656c1863830182020300007f632f332f63302f39ff0205")), (Rows{"/3/0/9 integer 5"}));
}

TEST(Senml, KeepsSixtyFourBitIntegers) {
    const TestModels models({{{1000, 0}, ValueType::integer}, {{1000, 1}, ValueType::unsigned_integer}});
    EXPECT_EQ(rows(json(R"([{"n":"/1000/0/0","v":9007199254740993},{"n":"/1000/0/1","v":18446744073709551615},)"
                        R"({"n":"/1000/0/0","v":-9223372036854775808}])",
                        {}, models)),
              (Rows{"/1000/0/0 integer 9007199254740993", "/1000/0/1 unsigned 18446744073709551615",
                    "/1000/0/0 integer -9223372036854775808"}));
    EXPECT_EQ(rows(cbor("82a200692f313030302f302f31021bffffffffffffffffa200692f313030302f302f30023b7fffffffffffffff",
                        {}, models)),
              (Rows{"/1000/0/1 unsigned 18446744073709551615", "/1000/0/0 integer -9223372036854775808"}));
}

TEST(SenmlJson, ReadsBothBase64Alphabets) {
    const Rows expected{"/0/0/3 opaque +/8="};
    for (const char* text : {"-_8", "-_8=", "+/8", "+/8="}) {
        EXPECT_EQ(rows(json(std::string(R"([{"n":"/0/0/3","vd":")") + text + R"("}])")), expected);
    }
}

TEST(SenmlJson, AddsTheBaseValueUntilItChanges) {
    EXPECT_EQ(
        rows(json(R"([{"bn":"/3303/0/","bv":20,"n":"5700","v":1.5},{"n":"5601","v":-5},{"bv":0,"n":"5602","v":7}])")),
        (Rows{"/3303/0/5700 float 21.5", "/3303/0/5601 float 15", "/3303/0/5602 float 7"}));
}

TEST(SenmlJson, KeepsDuplicatesInOrder) {
    EXPECT_EQ(rows(json(R"([{"n":"/3/0/9","v":1},{"n":"/3/0/9","v":2}])")),
              (Rows{"/3/0/9 integer 1", "/3/0/9 integer 2"}));
}

TEST(SenmlJson, TakesTheAlternatePathOffNames) {
    const DecodeContext context{.base = {3, 0}, .root_path = "/lwm2m"};
    const std::string_view text = R"([{"bn":"/lwm2m/3/0/","n":"9","v":1},{"bn":"/3/0/9","v":2}])";
    EXPECT_EQ(rows(decode(ContentFormat::senml_json, as_bytes(text), context)),
              (Rows{"/3/0/9 integer 1", "/3/0/9 integer 2"}));
}

TEST(SenmlJson, IgnoresFieldsThatMeanNothing) {
    EXPECT_EQ(rows(json(R"([{"n":"/3/0/9","v":1,"u":"%EL","ut":5,"bver":10,"x":{"y":[1,{"z":null}]},"s":3}])")),
              (Rows{"/3/0/9 integer 1"}));
}

TEST(SenmlJson, TakesNothingAsNothing) {
    EXPECT_EQ(rows(json("[]")), Rows{});
    EXPECT_EQ(rows(json("")), Rows{});
    EXPECT_EQ(rows(cbor("80")), Rows{});
}

TEST(SenmlJson, ConfinesValuesToTheBase) {
    const std::string_view text = R"([{"n":"/3/0/9","v":1}])";
    EXPECT_FALSE(json(text, {3, 1}).has_value());
    const DecodeContext context{.base = {3, 1}, .confine_to_base = false};
    EXPECT_TRUE(decode(ContentFormat::senml_json, as_bytes(text), context).has_value());
}

class SenmlJsonRejects : public testing::TestWithParam<const char*> {};
TEST_P(SenmlJsonRejects, Payload) {
    EXPECT_FALSE(json(GetParam()).has_value());
}
INSTANTIATE_TEST_SUITE_P(
    Senml, SenmlJsonRejects,
    testing::Values(R"([{"bn":"/0/2/","n":"0","vs":"coaps://server2.example.com","n":"1","vb":false}])",  // SJ-E1
                    R"({"n":"/3/0/9","v":1})", R"([1])", R"([[]])", R"("x")", R"([{"n":"/3/0/9","v":1})", R"([{}])",
                    R"([{"n":"/3/0/9","v":"1"}])", R"([{"n":"/3/0/9","v":1,"vs":"1"}])", R"([{"n":"/3/0/9","v":null}])",
                    R"([{"n":"/3/0/9","v":[1]}])", R"([{"n":"/3/0/9","v":1.5}])", R"([{"n":"/3/0/9","v":1e999}])",
                    R"([{"n":"/3/0/9","vs":"full"}])", R"([{"n":"/1/0/6","v":2}])", R"([{"n":"/3/0","v":2}])",
                    R"([{"n":"3303.0","v":2}])", R"([{"n":"/3/0/65535","v":2}])", R"([{"n":"/3/0/9","v":1,"x_":1}])",
                    R"([{"n":"/0/0/3","vd":"a"}])", R"([{"n":"/0/0/3","vd":"a b="}])",
                    R"([{"n":"/3/0/9","bver":11,"v":1}])", R"([{"n":"/65/0/0","vlo":"66"}])",
                    R"([{"n":"/65/0/0","vlo":"66:65536"}])", R"([{"n":"/3/0/9","v":1,"t":1e300}])",
                    R"([{"n":"/3/0/9","v":1}] x)", "\xff", "[{\"n\":\"\xff\"}]",
                    R"([{"x":[[[[[[[[[[1]]]]]]]]]],"n":"/3/0/9","v":1}])"));

class SenmlCborRejects : public testing::TestWithParam<const char*> {};
TEST_P(SenmlCborRejects, Payload) {
    EXPECT_FALSE(cbor(GetParam()).has_value());
}
INSTANTIATE_TEST_SUITE_P(Senml, SenmlCborRejects,
                         testing::Values("a0", "81", "8101", "81a0", "9bffffffffffffffff", "81bbffffffffffffffff",
                                         "81a200662f332f302f3902", "81a200662f332f302f39020500",
                                         "81a200662f332f302f3902c249010000000000000000",  // bignum
                                         "81a200662f332f302f39023bffffffffffffffff",      // below -2^63
                                         "81a300662f332f302f3902050205",                  // v twice
                                         "81a200662f332f302f390261 31",                   // v is text
                                         "81a200662f332f302f3902ff",                      // break as value
                                         "9fa200662f332f302f390205",                      // no break
                                         "81a200662f332f302f39021c",
                                         "81a2 005f 4161 ff 0205",  // reserved; bytes as name
                                         "81a200662f332f302f3902c1c1c1c1c100"));

TEST(SenmlCbor, BoundsDepthOfIgnoredFields) {
    std::string deep = "81a300662f332f302f3902051863";
    for (int i = 0; i < 64; ++i) deep += "81";
    deep += "00";
    EXPECT_EQ(cbor(deep).error().code, Errc::too_large);
}

TEST(SenmlEncode, WritesFullNamesAtTheRoot) {
    const Records records{{{6, 0, 0}, 43.61092, {}}, {{4, 0, 2}, std::int64_t{-49}, {}}};
    EXPECT_EQ(text(encode(ContentFormat::senml_json, {}, records).value()),
              R"([{"n":"/6/0/0","v":43.61092},{"n":"/4/0/2","v":-49}])");
}

TEST(SenmlEncode, WritesASingleResourceAsBaseName) {  // SJ-04, SC-03
    const Records quoted{{{3, 0, 0}, std::string("a\"\\\n"), {}}};
    EXPECT_EQ(text(encode(ContentFormat::senml_json, {3, 0, 0}, quoted).value()),
              R"([{"bn":"/3/0/0","vs":"a\"\\\u000a"}])");
    const Records key{{{0, 0, 3}, Bytes{0xab, 0xcd, 0xef}, {}}};
    EXPECT_EQ(to_hex(encode(ContentFormat::senml_cbor, {0, 0, 3}, key).value()), "81a221662f302f302f330843abcdef");
}

TEST(SenmlEncode, RoundTripsEveryTypeAndTime) {
    const TestModels models({{{9, 0}, ValueType::integer},
                             {{9, 1}, ValueType::unsigned_integer},
                             {{9, 2}, ValueType::floating},
                             {{9, 3}, ValueType::boolean},
                             {{9, 4}, ValueType::string},
                             {{9, 5}, ValueType::opaque},
                             {{9, 6}, ValueType::time},
                             {{9, 7}, ValueType::object_link},
                             {{9, 8}, ValueType::core_link}});
    const Records records{{{9, 0, 0}, INT64_MIN, 1'700'000'000'250},
                          {{9, 0, 1}, UINT64_MAX, 1'700'000'001'000},
                          {{9, 0, 2}, 0.1, {}},
                          {{9, 0, 3}, true, {}},
                          {{9, 0, 4}, std::string("\xc3\xa4"), {}},
                          {{9, 0, 5}, Bytes{0, 255}, {}},
                          {{9, 0, 6}, Time{-1}, {}},
                          {{9, 0, 7}, ObjectLink{3, 0}, {}},
                          {{9, 0, 8}, CoreLink{"</3/0>"}, {}}};
    for (const auto format : {ContentFormat::senml_json, ContentFormat::senml_cbor}) {
        const Bytes bytes = encode(format, {9, 0}, records, models).value();
        EXPECT_EQ(decode(format, bytes, {.base = {9, 0}, .models = models}).value(), records);
    }
}

TEST(SenmlEncode, RefusesNumbersThatAreNotFinite) {
    const Records records{{{3303, 0, 5700}, std::numeric_limits<double>::infinity(), {}}};
    EXPECT_FALSE(encode(ContentFormat::senml_json, {3303, 0}, records).has_value());
}

}  // namespace
}  // namespace lanyard::lwm2m
