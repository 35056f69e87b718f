#include <limits>

#include <gtest/gtest.h>

#include "date_time.hpp"
#include "lwm2m/limits.hpp"
#include "support.hpp"

namespace lanyard::lwm2m {
namespace {

// One resource for each type: /9/0/n.
const TestModels kModels({{{9, 0}, ValueType::integer},
                          {{9, 1}, ValueType::unsigned_integer},
                          {{9, 2}, ValueType::floating},
                          {{9, 3}, ValueType::boolean},
                          {{9, 4}, ValueType::string},
                          {{9, 5}, ValueType::opaque},
                          {{9, 6}, ValueType::time},
                          {{9, 7}, ValueType::object_link},
                          {{9, 8}, ValueType::core_link}});

std::string read(ContentFormat format, ResourceId resource, ByteView payload) {
    const auto records = decode(format, payload, {.base = {9, 0, resource}, .models = kModels});
    if (!records) return "error";
    const Value& value = records->front().value;
    return std::string(to_string(type_of(value))) + " " + to_display(value);
}
std::string plain(ResourceId resource, std::string_view payload) {
    return read(ContentFormat::text, resource, as_bytes(payload));
}
std::string cbor(ResourceId resource, std::string_view payload) {
    return read(ContentFormat::cbor, resource, hex(payload));
}
std::string write(ContentFormat format, ResourceId resource, Value value) {
    const auto bytes = encode(format, {9, 0, resource}, Records{{{9, 0, resource}, std::move(value), {}}}, kModels);
    return bytes ? (format == ContentFormat::text ? text(*bytes) : to_hex(*bytes)) : "error";
}

TEST(PlainText, ReadsEveryType) {  // Core 1.2 appendix C
    EXPECT_EQ(plain(0, "-42"), "integer -42");
    EXPECT_EQ(plain(0, "9223372036854775807"), "integer 9223372036854775807");
    EXPECT_EQ(plain(1, "18446744073709551615"), "unsigned 18446744073709551615");
    EXPECT_EQ(plain(2, "0.00000000006667"), "float 6.667e-11");
    EXPECT_EQ(plain(2, "1e3"), "float 1000");
    EXPECT_EQ(plain(3, "1"), "boolean true");
    EXPECT_EQ(plain(4, "Open Mobile Alliance"), "string Open Mobile Alliance");
    EXPECT_EQ(plain(4, ""), "string ");
    EXPECT_EQ(plain(5, "AQIDBAU="), "opaque AQIDBAU=");
    EXPECT_EQ(plain(6, "1367491215"), "time 1367491215");
    EXPECT_EQ(plain(7, "66:0"), "objlnk 66:0");
    EXPECT_EQ(plain(7, "65535:65535"), "objlnk 65535:65535");
    EXPECT_EQ(plain(8, "</3/0>"), "corelnk </3/0>");
    EXPECT_EQ(plain(99, "12"), "string 12");
}

TEST(PlainText, RejectsWhatIsNotOfTheType) {
    for (const char* bad : {"", "x", "1.5", "9223372036854775808", "1 ", "+-1", "0x1"})
        EXPECT_EQ(plain(0, bad), "error");
    EXPECT_EQ(plain(1, "-1"), "error");
    for (const char* bad : {"", "nan", "inf", "1e999", "1,5"}) EXPECT_EQ(plain(2, bad), "error");
    for (const char* bad : {"", "2", "true"}) EXPECT_EQ(plain(3, bad), "error");
    EXPECT_EQ(plain(4, "\xff"), "error");
    EXPECT_EQ(plain(5, "A"), "error");
    EXPECT_EQ(plain(7, "66"), "error");
    EXPECT_FALSE(decode(ContentFormat::text, as_bytes("1"), {.base = {3, 0}}).has_value());
}

TEST(PlainText, WritesEveryType) {
    EXPECT_EQ(write(ContentFormat::text, 0, std::int64_t{-1}), "-1");
    EXPECT_EQ(write(ContentFormat::text, 2, 6.667e-11), "0.00000000006667");
    EXPECT_EQ(write(ContentFormat::text, 2, std::int64_t{5}), "5");
    EXPECT_EQ(write(ContentFormat::text, 2, std::numeric_limits<double>::quiet_NaN()), "error");
    EXPECT_EQ(write(ContentFormat::text, 3, true), "1");
    EXPECT_EQ(write(ContentFormat::text, 5, Bytes{1, 2, 3, 4, 5}), "AQIDBAU=");
    EXPECT_EQ(write(ContentFormat::text, 7, ObjectLink{66, 0}), "66:0");
    EXPECT_EQ(write(ContentFormat::text, 4, Value()), "error");
    EXPECT_FALSE(encode(ContentFormat::text, {9, 0}, Records{{{9, 0, 0}, std::int64_t{1}, {}}}).has_value());
}

TEST(Opaque, CarriesBytesOnly) {
    EXPECT_EQ(read(ContentFormat::opaque, 5, hex("00ff")), "opaque AP8=");
    EXPECT_EQ(read(ContentFormat::opaque, 5, {}), "opaque ");
    EXPECT_EQ(read(ContentFormat::opaque, 0, hex("00")), "error");
    EXPECT_EQ(write(ContentFormat::opaque, 5, Bytes{0, 255}), "00ff");
    EXPECT_EQ(write(ContentFormat::opaque, 0, std::int64_t{1}), "error");
}

// RFC 8949 appendix A.
TEST(Cbor, ReadsTheExamplesOfItsRfc) {
    EXPECT_EQ(cbor(0, "00"), "integer 0");
    EXPECT_EQ(cbor(0, "17"), "integer 23");
    EXPECT_EQ(cbor(0, "1864"), "integer 100");
    EXPECT_EQ(cbor(0, "1903e8"), "integer 1000");
    EXPECT_EQ(cbor(0, "1a000f4240"), "integer 1000000");
    EXPECT_EQ(cbor(0, "1b000000e8d4a51000"), "integer 1000000000000");
    EXPECT_EQ(cbor(1, "1bffffffffffffffff"), "unsigned 18446744073709551615");
    EXPECT_EQ(cbor(0, "20"), "integer -1");
    EXPECT_EQ(cbor(0, "3863"), "integer -100");
    EXPECT_EQ(cbor(2, "fb3ff199999999999a"), "float 1.1");
    EXPECT_EQ(cbor(2, "f93e00"), "float 1.5");
    EXPECT_EQ(cbor(2, "fa47c35000"), "float 100000");
    EXPECT_EQ(cbor(2, "f90001"), "float 5.960464477539063e-08");
    EXPECT_EQ(cbor(3, "f4"), "boolean false");
    EXPECT_EQ(cbor(3, "f5"), "boolean true");
    EXPECT_EQ(cbor(5, "4401020304"), "opaque AQIDBA==");
    EXPECT_EQ(cbor(4, "6449455446"), "string IETF");
    EXPECT_EQ(cbor(6, "c11a514b67b0"), "time 1363896240");
    EXPECT_EQ(cbor(6, "c1fb41d452d9ec200000"), "time 1363896240");
    EXPECT_EQ(cbor(6, "c074323031332d30332d32315432303a30343a30305a"), "time 1363896240");
    EXPECT_EQ(cbor(2, "c48221196ab3"), "float 273.15");
    EXPECT_EQ(cbor(5, "5f42010243030405ff"), "opaque AQIDBAU=");
    EXPECT_EQ(cbor(99, "1864"), "integer 100");
}

TEST(Cbor, RejectsEverythingElse) {
    for (const char* bad : {"",           "18",
                            "1b00",       "f6",
                            "80",         "a0",
                            "ff",         "0000",
                            "f8ff",       "1c",
                            "1f",         "62ff",
                            "5f6161ff",   "5f41",
                            "c0",         "c060",
                            "c4820080",   "c48200",
                            "c483000000", "c2 4101",
                            "d9d9f7",     "d8",
                            "fb00",       "bf",
                            "c1c1c100",   "3bffffffffffffffff"}) {
        EXPECT_EQ(cbor(0, bad), "error") << bad;
    }
    EXPECT_EQ(cbor(0, "fb3ff199999999999a"), "error");
    EXPECT_EQ(cbor(4, "00"), "error");
}

TEST(Cbor, WritesTheExamplesOfItsRfc) {
    EXPECT_EQ(write(ContentFormat::cbor, 0, std::int64_t{1000000000000}), "1b000000e8d4a51000");
    EXPECT_EQ(write(ContentFormat::cbor, 0, std::int64_t{-100}), "3863");
    EXPECT_EQ(write(ContentFormat::cbor, 1, std::uint64_t{UINT64_MAX}), "1bffffffffffffffff");
    EXPECT_EQ(write(ContentFormat::cbor, 2, 1.1), "fb3ff199999999999a");
    EXPECT_EQ(write(ContentFormat::cbor, 2, 100000.0), "fa47c35000");
    EXPECT_EQ(write(ContentFormat::cbor, 2, 1e300), "fb7e37e43c8800759c");
    EXPECT_EQ(write(ContentFormat::cbor, 3, true), "f5");
    EXPECT_EQ(write(ContentFormat::cbor, 6, Time{1363896240}), "c11a514b67b0");
    EXPECT_EQ(write(ContentFormat::cbor, 5, Bytes{1, 2, 3, 4}), "4401020304");
}

TEST(Codec, SaysWhichFormatsItLacks) {
    EXPECT_TRUE(is_supported(ContentFormat::old_tlv));
    EXPECT_FALSE(is_supported(ContentFormat::lwm2m_cbor));
    EXPECT_EQ(decode(ContentFormat::json, {}, {}).error().code, Errc::unsupported);
    EXPECT_EQ(encode(ContentFormat::lwm2m_cbor, {}, {}).error().code, Errc::unsupported);
}

TEST(Codec, TakesTheOldNumbers) {
    const auto records = decode(ContentFormat::old_tlv, hex("c10964"), {.base = {3, 0}});
    EXPECT_EQ(rows(records), (Rows{"/3/0/9 integer 100"}));
}

TEST(Codec, BoundsPayloadAndValues) {
    const Bytes big(kMaxPayloadBytes + 1);
    EXPECT_EQ(decode(ContentFormat::opaque, big, {.base = {5, 0, 0}}).error().code, Errc::too_large);
    Bytes many;
    for (std::size_t i = 0; i <= kMaxRecords; ++i) many.insert(many.end(), {0xc1, 0x09, 0x01});
    EXPECT_EQ(decode(ContentFormat::tlv, many, {.base = {3, 0}}).error().code, Errc::too_large);
}

TEST(DateTime, ReadsRfc3339) {
    EXPECT_EQ(parse_date_time("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(parse_date_time("2013-03-21T21:04:00.125+01:00"), 1363896240);
    EXPECT_EQ(parse_date_time("1969-12-31t23:59:59z"), -1);
    for (const char* bad : {"", "2013", "2013-02-30T00:00:00Z", "2013-03-21T24:00:00Z", "2013-03-21T20:04:00",
                            "2013-03-21T20:04:00.Z", "2013-03-21T20:04:00Z ", "2013-03-21T20:04:00+1"}) {
        EXPECT_EQ(parse_date_time(bad), std::nullopt) << bad;
    }
}

TEST(Value, ConvertsOnlyWhatStaysTheSame) {
    EXPECT_EQ(convert(2.0, ValueType::integer).value(), Value(std::int64_t{2}));
    EXPECT_FALSE(convert(2.5, ValueType::integer).has_value());
    EXPECT_FALSE(convert(9.3e18, ValueType::integer).has_value());
    EXPECT_FALSE(convert(std::numeric_limits<double>::quiet_NaN(), ValueType::unsigned_integer).has_value());
    EXPECT_FALSE(convert(std::int64_t{-1}, ValueType::unsigned_integer).has_value());
    EXPECT_FALSE(convert(std::uint64_t{UINT64_MAX}, ValueType::integer).has_value());
    EXPECT_EQ(convert(std::int64_t{1}, ValueType::boolean).value(), Value(true));
    EXPECT_FALSE(convert(std::int64_t{2}, ValueType::boolean).has_value());
    EXPECT_FALSE(convert(true, ValueType::time).has_value());
    EXPECT_EQ(convert(std::string("3:0"), ValueType::object_link).value(), Value(ObjectLink{3, 0}));
    EXPECT_FALSE(convert(std::string("1"), ValueType::integer).has_value());
    EXPECT_FALSE(convert(Value(), ValueType::integer).has_value());
}

TEST(Value, NamesItsTypes) {
    for (std::size_t i = 0; i < std::variant_size_v<Value>; ++i) {
        const auto type = static_cast<ValueType>(i);
        EXPECT_EQ(value_type_from(to_string(type)), type);
    }
    EXPECT_EQ(to_string(ValueType::object_link), "objlnk");
    EXPECT_EQ(value_type_from("double"), std::nullopt);
}

TEST(ContentFormat, KnowsNumbersAndNames) {
    EXPECT_EQ(content_format_from(std::uint16_t{11542}), ContentFormat::tlv);
    EXPECT_EQ(content_format_from(std::uint16_t{41}), std::nullopt);
    EXPECT_EQ(content_format_from("senml-cbor"), ContentFormat::senml_cbor);
    EXPECT_EQ(to_string(ContentFormat::tlv), "tlv");
}

TEST(Version, ReadsTwoAndThreeParts) {
    EXPECT_EQ(Version::parse("1.1"), (Version{1, 1}));
    EXPECT_EQ(Version::parse("1.1.1"), (Version{1, 1}));
    EXPECT_EQ(Version::parse("2"), (Version{2, 0}));
    for (const char* bad : {"", "x", "1.", ".1", "1.256", "1.1.1.1", "1 .1", "-1.0"}) {
        EXPECT_EQ(Version::parse(bad), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace lanyard::lwm2m
