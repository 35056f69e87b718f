#include "coap/message.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/hex.hpp"

namespace lanyard::coap {
namespace {

Bytes bytes_of(std::string_view hex) {
    return from_hex(hex).value();
}

DecodeError error_of(std::string_view hex) {
    const Bytes datagram = bytes_of(hex);
    MessageView view;
    return view.decode(datagram);
}

struct Frame {
    const char* name;
    const char* hex;
    Type type;
    Code code;
    std::uint16_t mid;
    const char* token;
    const char* options;  // "number=hex number=hex"
    const char* payload;  // hex
};
void PrintTo(const Frame& frame, std::ostream* out) {
    *out << frame.name;
}

// Sources: RFC 7252 appendix A, figures 16 and 17; RFC 8613 appendix C.4 and C.7; OMA LwM2M Core appendix L for the
// Execute over SMS; the others are composed after the flows of OMA LwM2M Transport 1.2, figures 6.4.3-1 and 6.4.4-1.
const Frame kFrames[] = {
    {"F01_rfc7252_request", "40017d34bb74656d7065726174757265", Type::confirmable, Code::get, 0x7d34, "",
     "11=74656d7065726174757265", ""},
    {"F02_rfc7252_answer", "60457d34ff32322e332043", Type::acknowledgement, Code::content, 0x7d34, "", "",
     "32322e332043"},
    {"F03_rfc7252_with_token", "41017d3520bb74656d7065726174757265", Type::confirmable, Code::get, 0x7d35, "20",
     "11=74656d7065726174757265", ""},
    {"F04_oscore_plain", "44015d1f00003974396c6f63616c686f737483747631", Type::confirmable, Code::get, 0x5d1f,
     "00003974", "3=6c6f63616c686f7374 11=747631", ""},
    {"F04_oscore_protected", "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",
     Type::confirmable, Code::post, 0x5d1f, "00003974", "3=6c6f63616c686f7374 9=0914", "612f1092f1776f1c1668b3825e"},
    {"F05_oscore_answer", "64455d1f00003974ff48656c6c6f20576f726c6421", Type::acknowledgement, Code::content, 0x5d1f,
     "00003974", "", "48656c6c6f20576f726c6421"},
    {"F07_execute", "4402b60b2161fb63b13101300138", Type::confirmable, Code::post, 0xb60b, "2161fb63",
     "11=31 11=30 11=38", ""},
    {"F10_register",
     "4102000101b2726411283d0465703d6578616d706c652d636c69656e74096c776d326d3d312e31086c743d3836343030"
     "ff3c2f312f303e2c3c2f332f303e",
     Type::confirmable, Code::post, 1, "01",
     "11=7264 12=28 15=65703d6578616d706c652d636c69656e74 15=6c776d326d3d312e31 15=6c743d3836343030",
     "3c2f312f303e2c3c2f332f303e"},
    {"F11_registered", "61410001018272640435613366", Type::acknowledgement, Code::created, 1, "01", "8=7264 8=35613366",
     ""},
    {"F12_update", "4102000202b272640435613366496c743d363030303030", Type::confirmable, Code::post, 2, "02",
     "11=7264 11=35613366 15=6c743d363030303030", ""},
    {"F13_read_senml_cbor", "4101000303b13301306170", Type::confirmable, Code::get, 3, "03", "11=33 11=30 17=70", ""},
    {"F14_read_tlv", "4101000404b1330130622d16", Type::confirmable, Code::get, 4, "04", "11=33 11=30 17=2d16", ""},
    {"F15_observe", "410100050560513301300137", Type::confirmable, Code::get, 5, "05", "6= 11=33 11=30 11=37", ""},
    {"F16_cancel", "41010006056101513301300137", Type::confirmable, Code::get, 6, "05", "6=01 11=33 11=30 11=37", ""},
    {"F17_write_attributes", "4103000707b1330130013946706d696e3d3106706d61783d35046c743d35", Type::confirmable,
     Code::put, 7, "07", "11=33 11=30 11=39 15=706d696e3d31 15=706d61783d35 15=6c743d35", ""},
    {"F18_block1", "4103000808b13501300130112ad1020ed2141388", Type::confirmable, Code::put, 8, "08",
     "11=35 11=30 11=30 12=2a 27=0e 60=1388", ""},
    {"F19_continue", "615f000808d10e0e", Type::acknowledgement, Code::continue_, 8, "08", "27=0e", ""},
    {"F20_read_composite", "4105000909c1705170ff83a100662f332f302f30a100662f332f302f39a100662f312f302f31",
     Type::confirmable, Code::fetch, 9, "09", "12=70 17=70",
     "83a100662f332f302f30a100662f332f302f39a100662f312f302f31"},
    {"F21_bootstrap_finish", "4102000a0ab26273", Type::confirmable, Code::post, 10, "0a", "11=6273", ""},
    {"F22_reset", "70001234", Type::reset, Code::empty, 0x1234, "", "", ""},
};

std::string describe(const OptionRange& options) {
    std::string text;
    for (const OptionView& option : options) {
        if (!text.empty()) text += ' ';
        text += std::to_string(static_cast<unsigned>(option.number)) + "=" + to_hex(option.value);
    }
    return text;
}

Bytes encode_again(const MessageView& view) {
    Bytes buffer(2048);
    MessageWriter writer(buffer, {view.type(), view.code(), view.mid()}, view.token());
    for (const OptionView& option : view.options()) writer.option(option.number, option.value);
    writer.payload(view.payload());
    const ByteView written = writer.finish();
    return {written.begin(), written.end()};
}

class GoldenFrame : public testing::TestWithParam<Frame> {};

TEST_P(GoldenFrame, DecodesToItsParts) {
    const Bytes datagram = bytes_of(GetParam().hex);
    MessageView view;
    ASSERT_EQ(view.decode(datagram), DecodeError::none);
    EXPECT_EQ(view.type(), GetParam().type);
    EXPECT_EQ(view.code(), GetParam().code);
    EXPECT_EQ(view.mid(), GetParam().mid);
    EXPECT_EQ(to_hex(view.token().bytes()), GetParam().token);
    EXPECT_EQ(describe(view.options()), GetParam().options);
    EXPECT_EQ(to_hex(view.payload()), GetParam().payload);
}

TEST_P(GoldenFrame, EncodesToTheSameBytes) {
    const Bytes datagram = bytes_of(GetParam().hex);
    MessageView view;
    ASSERT_EQ(view.decode(datagram), DecodeError::none);
    EXPECT_EQ(to_hex(encode_again(view)), GetParam().hex);
}

TEST_P(GoldenFrame, TruncatedAnywhereIsRejectedOrStillWellFormed) {
    const Bytes datagram = bytes_of(GetParam().hex);
    for (std::size_t size = 0; size < datagram.size(); ++size) {
        const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(size));
        MessageView view;
        if (view.decode(cut) == DecodeError::none) {
            EXPECT_EQ(encode_again(view), cut) << size;
        }
    }
}

TEST_P(GoldenFrame, DoesNotFitASmallerBuffer) {
    const Bytes datagram = bytes_of(GetParam().hex);
    MessageView view;
    ASSERT_EQ(view.decode(datagram), DecodeError::none);
    for (std::size_t size = 0; size < datagram.size(); ++size) {
        Bytes buffer(size);
        MessageWriter writer(buffer, {view.type(), view.code(), view.mid()}, view.token());
        for (const OptionView& option : view.options()) writer.option(option.number, option.value);
        writer.payload(view.payload());
        EXPECT_TRUE(writer.finish().empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Conformance, GoldenFrame, testing::ValuesIn(kFrames),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(CoapDecode, RejectsADatagramBelowFourBytes) {
    EXPECT_EQ(error_of("400101"), DecodeError::too_short);
}
TEST(CoapDecode, RejectsOtherVersions) {
    EXPECT_EQ(error_of("00010101"), DecodeError::bad_version);
    EXPECT_EQ(error_of("80010101"), DecodeError::bad_version);
    EXPECT_EQ(error_of("c0010101"), DecodeError::bad_version);
}
TEST(CoapDecode, RejectsTokenLongerThanEight) {
    EXPECT_EQ(error_of("49010101010203040506070809"), DecodeError::token_too_long);
    EXPECT_EQ(error_of("4f010101010203040506070809101112131415"), DecodeError::token_too_long);
}
TEST(CoapDecode, RejectsATokenBeyondTheEnd) {
    EXPECT_EQ(error_of("4401010101"), DecodeError::token_too_long);
}
TEST(CoapDecode, RejectsAnEmptyMessageWithAnythingBehindTheHeader) {
    EXPECT_EQ(error_of("4000010199"), DecodeError::not_empty);
    EXPECT_EQ(error_of("4100010199"), DecodeError::not_empty);
}
TEST(CoapDecode, RejectsReservedCodeClasses) {
    EXPECT_EQ(error_of("40200101"), DecodeError::reserved_code_class);
    EXPECT_EQ(error_of("40c00101"), DecodeError::reserved_code_class);
    EXPECT_EQ(error_of("40e10101"), DecodeError::reserved_code_class);
}
TEST(CoapDecode, RejectsOptionDelta15) {
    EXPECT_EQ(error_of("40010101f1aa"), DecodeError::bad_option_delta);
}
TEST(CoapDecode, RejectsOptionLength15) {
    EXPECT_EQ(error_of("400101011faa"), DecodeError::bad_option_length);
}
TEST(CoapDecode, RejectsOptionsThatEndTooEarly) {
    EXPECT_EQ(error_of("40010101b3aabb"), DecodeError::truncated_option);
    EXPECT_EQ(error_of("40010101d1"), DecodeError::truncated_option);
    EXPECT_EQ(error_of("40010101e100"), DecodeError::truncated_option);
    EXPECT_EQ(error_of("400101011d"), DecodeError::truncated_option);
    EXPECT_EQ(error_of("400101011e00"), DecodeError::truncated_option);
    EXPECT_EQ(error_of("400101011effffaa"), DecodeError::truncated_option);
}
TEST(CoapDecode, RejectsOptionNumbersBeyond65535) {
    EXPECT_EQ(error_of("40010101e0fef2"), DecodeError::none);  // 65535 itself
    EXPECT_EQ(error_of("40010101e0fef3"), DecodeError::option_number_too_big);
    EXPECT_EQ(error_of("40010101e0fef210"), DecodeError::option_number_too_big);
}
TEST(CoapDecode, RejectsAPayloadMarkerWithoutPayload) {
    EXPECT_EQ(error_of("40010101ff"), DecodeError::empty_payload);
    EXPECT_EQ(error_of("40010101b27264ff"), DecodeError::empty_payload);
}
TEST(CoapDecode, RejectsTooManyOptions) {
    Bytes datagram = bytes_of("40010101");
    datagram.insert(datagram.end(), kMaxOptionsIn, 0x00);
    MessageView view;
    EXPECT_EQ(view.decode(datagram), DecodeError::none);
    datagram.push_back(0x00);
    EXPECT_EQ(view.decode(datagram), DecodeError::too_many_options);
}

TEST(CoapDecode, KeepsUnknownOptions) {
    const Bytes datagram = bytes_of("40010101d1ea55e203000102");
    MessageView view;
    ASSERT_EQ(view.decode(datagram), DecodeError::none);
    EXPECT_EQ(describe(view.options()), "247=55 1284=0102");
}

TEST(CoapDecode, NamesPathsAndTypedOptions) {
    const Bytes datagram = bytes_of("4103000808b13501300130112ad1020ed2141388");
    MessageView view;
    ASSERT_EQ(view.decode(datagram), DecodeError::none);
    EXPECT_EQ(view.path(), "/5/0/0");
    EXPECT_TRUE(view.path_is("5/0/0"));
    EXPECT_TRUE(view.path_is("/5/0/0"));
    EXPECT_FALSE(view.path_is("5/0"));
    EXPECT_FALSE(view.path_is("5/0/0/1"));
    EXPECT_FALSE(view.path_is(""));
    EXPECT_EQ(view.content_format(), 42);
    EXPECT_EQ(view.find_block(OptionNumber::block1), (BlockOption{0, true, 6}));
    EXPECT_EQ(view.find_uint(OptionNumber::size1), 5000U);
    EXPECT_EQ(view.find_block(OptionNumber::block2), std::nullopt);
    EXPECT_EQ(view.observe(), std::nullopt);
}

TEST(CoapDecode, IgnoresTypedOptionsThatDoNotFitTheirFormat) {
    const Bytes datagram = bytes_of("400101016401020304b17864010203046101f0");
    MessageView view;
    if (view.decode(datagram) == DecodeError::none) {
        EXPECT_EQ(view.observe(), std::nullopt);
    }
    EXPECT_EQ(decode_block(bytes_of("07")), std::nullopt);
    EXPECT_EQ(decode_block(bytes_of("00000001")), std::nullopt);
    EXPECT_EQ(decode_block(bytes_of("ffffff")), std::nullopt);
    EXPECT_EQ(decode_block(bytes_of("fffffe")), (BlockOption{kMaxBlockNum, true, 6}));
    EXPECT_EQ(decode_uint(bytes_of("010203040506070809")), std::nullopt);
}

TEST(CoapOptions, SortsWhatIsAddedAndKeepsRepeatedOnesInOrder) {
    Options options;
    options.query("lt=60").path("/rd/5a3f").query("b=U").content_format(40).observe(0);
    Bytes buffer(100);
    const ByteView datagram = encode(buffer, {Type::confirmable, Code::post, 1}, {}, options);
    MessageView view;
    ASSERT_EQ(view.decode(datagram), DecodeError::none);
    EXPECT_EQ(describe(view.options()), "6= 11=7264 11=35613366 12=28 15=6c743d3630 15=623d55");
}

TEST(CoapOptions, RefusesMoreThanItHolds) {
    Options options;
    for (std::size_t i = 0; i < kMaxOptionsOut; ++i) options.query("");
    EXPECT_TRUE(options.ok());
    options.query("");
    EXPECT_FALSE(options.ok());
    Options bytes;
    bytes.add(OptionNumber::proxy_uri, Bytes(kMaxOptionBytesOut + 1));
    EXPECT_FALSE(bytes.ok());
    Bytes buffer(4096);
    EXPECT_TRUE(encode(buffer, {}, {}, bytes).empty());
}

TEST(CoapOptions, CopiesAndRemoves) {
    Options options;
    options.path("a/b").accept(112);
    Options copy = options;
    copy.remove(OptionNumber::uri_path);
    EXPECT_EQ(copy.size(), 1U);
    EXPECT_TRUE(copy.contains(OptionNumber::accept));
    EXPECT_FALSE(copy.contains(OptionNumber::uri_path));
    EXPECT_EQ(options.size(), 3U);
}

TEST(CoapOptions, KnowsWhichOptionsAreRecognized) {
    EXPECT_TRUE(is_recognized(OptionNumber::uri_path, 255));
    EXPECT_FALSE(is_recognized(OptionNumber::uri_path, 256));
    EXPECT_FALSE(is_recognized(OptionNumber::uri_host, 0));
    EXPECT_FALSE(is_recognized(OptionNumber::oscore, 3));
    EXPECT_TRUE(is_recognized(OptionNumber::request_tag, 0));
    EXPECT_TRUE(is_recognized(OptionNumber::echo, 40));
    EXPECT_TRUE(is_critical(OptionNumber::uri_path));
    EXPECT_FALSE(is_critical(OptionNumber::observe));
    EXPECT_TRUE(is_repeatable(OptionNumber::uri_query));
    EXPECT_FALSE(is_repeatable(OptionNumber::accept));
    EXPECT_TRUE(is_no_cache_key(OptionNumber::size1));
}

TEST(CoapEncode, RoundTripsRandomMessages) {
    std::mt19937 random(7);
    const auto pick = [&](unsigned below) { return static_cast<std::uint16_t>(random() % below); };
    for (int round = 0; round < 3000; ++round) {
        Bytes token(pick(9));
        for (auto& byte : token) byte = static_cast<std::uint8_t>(random());
        Options options;
        for (unsigned count = pick(12); count > 0; --count) {
            const unsigned spread = pick(3) == 0 ? 65536 : 64;
            options.add(static_cast<OptionNumber>(pick(spread)), Bytes(pick(pick(8) == 0 ? 400 : 20), 0x5a));
        }
        if (!options.ok()) continue;
        const Header header{static_cast<Type>(pick(4)), Code::content, pick(65536)};
        Bytes buffer(8192);
        const ByteView datagram = encode(buffer, header, Token(token), options, Bytes(pick(50), 0x11));
        MessageView view;
        ASSERT_EQ(view.decode(datagram), DecodeError::none);
        EXPECT_EQ(view.mid(), header.mid);
        EXPECT_EQ(view.token(), Token(token));
        const Bytes again = encode_again(view);
        ASSERT_TRUE(std::equal(again.begin(), again.end(), datagram.begin(), datagram.end()));
    }
}

TEST(CoapCode, PrintsAsTheSpecificationsDo) {
    EXPECT_EQ(to_string(Code::content), "2.05");
    EXPECT_EQ(to_string(Code::continue_), "2.31");
    EXPECT_EQ(to_string(Code::get), "0.01");
    EXPECT_EQ(to_string(Code::gateway_timeout), "5.04");
}

TEST(CoapToken, IsANumberAndBack) {
    EXPECT_EQ(to_hex(Token::from_u64(0x0102030405060708).bytes()), "0102030405060708");
    EXPECT_EQ(Token::from_u64(42).as_u64(), 42U);
    EXPECT_NE(Token(bytes_of("00")), Token(bytes_of("0000")));
}

}  // namespace
}  // namespace lanyard::coap
