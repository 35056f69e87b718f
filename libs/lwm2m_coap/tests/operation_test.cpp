#include <gtest/gtest.h>

#include "lwm2m_coap/response.hpp"
#include "support.hpp"

namespace lanyard::lwm2m_coap {
namespace {

RequestParts request(const Operation& operation, std::string_view root = {}) {
    return to_request(operation, root).value();
}
bool is_refused(const Operation& operation) {
    const auto parts = to_request(operation);
    return !parts && parts.error().code == Errc::invalid_argument;
}

// The ids F-nn are those of the golden frames, composed after the figures of Transport 1.1 section 6.4.

TEST(Request, ReadsWithAccept) {  // F-13, F-14
    EXPECT_EQ(frame(request(Read{{3, 0}, ContentFormat::senml_cbor}), 3, "03"), "4101000303b13301306170");
    EXPECT_EQ(frame(request(Read{{3, 0}, ContentFormat::tlv}), 4, "04"), "4101000404b1330130622d16");
}

TEST(Request, ObservesAndCancels) {  // F-15, F-16
    EXPECT_EQ(frame(request(Observe{{3, 0, 7}}), 5, "05"), "410100050560513301300137");
    EXPECT_EQ(frame(request(CancelObserve{{3, 0, 7}}), 6, "05"), "41010006056101513301300137");
}

TEST(Request, WritesAttributes) {  // F-17
    Attributes attributes;
    attributes.pmin = 1;
    attributes.pmax = 5;
    attributes.lt = 5;
    EXPECT_EQ(frame(request(WriteAttributes{{3, 0, 9}, attributes}), 7, "07"),
              "4103000707b1330130013946706d696e3d3106706d61783d35046c743d35");
}

TEST(Request, ExecutesWithoutAndWithArguments) {  // F-07
    EXPECT_EQ(frame(request(Execute{{1, 0, 8}}), 0xb60b, "2161fb63"), "4402b60b2161fb63b13101300138");
    const auto parts = request(Execute{{5, 0, 2}, "0='a',1"});
    EXPECT_EQ(as_text(parts.payload), "0='a',1");
    EXPECT_TRUE(parts.options.contains(coap::OptionNumber::content_format));
}

TEST(Request, PutsTheAlternatePathFirst) {
    EXPECT_EQ(frame(request(Read{{3, 0, 0}}, "/lwm2m"), 1, ""), "40010001b56c776d326d013301300130");
}

TEST(Request, WritesByMode) {
    const Write replace{{3, 0, 13}, WriteMode::replace, ContentFormat::text, {'1'}};
    EXPECT_EQ(request(replace).method, coap::Code::put);
    const Write partial{{1, 0}, WriteMode::partial, ContentFormat::tlv, {0xc1, 0x02, 0x65}};
    EXPECT_EQ(request(partial).method, coap::Code::post);
    EXPECT_EQ(frame(request(partial), 1, ""), "40020001b1310130122d16ffc10265");
}

TEST(Request, DiscoversCreatesAndDeletes) {
    EXPECT_EQ(frame(request(Discover{{3, 0}}), 1, ""), "40010001b13301306128");
    EXPECT_EQ(frame(request(Discover{{3}, 1}), 1, ""), "40010001b1334764657074683d312128");
    EXPECT_EQ(request(Create{16, ContentFormat::tlv, {1}}).method, coap::Code::post);
    EXPECT_EQ(request(Delete{{16, 1}}).method, coap::Code::delete_);
}

TEST(Request, RefusesPathsOfTheWrongDepth) {
    EXPECT_TRUE(is_refused(Read{Path{}}));
    EXPECT_TRUE(is_refused(Discover{{3, 0, 6, 1}}));
    EXPECT_TRUE(is_refused(Discover{{3}, 4}));
    EXPECT_TRUE(is_refused(Write{{3}}));
    EXPECT_TRUE(is_refused(Write{{3, 0, 6, 1}, WriteMode::partial}));
    EXPECT_TRUE(is_refused(Write{{3, 0}, WriteMode::partial, ContentFormat::text}));
    EXPECT_TRUE(is_refused(Execute{{3, 0}}));
    EXPECT_TRUE(is_refused(Create{65535}));
    EXPECT_TRUE(is_refused(Create{16, ContentFormat::opaque}));
    EXPECT_TRUE(is_refused(Delete{{3}}));
    EXPECT_TRUE(is_refused(Delete{{3, 0, 9}}));
}

TEST(Request, RefusesObjectsThatHoldKeys) {
    for (const lwm2m::ObjectId id : {lwm2m::ObjectId{0}, lwm2m::ObjectId{21}, lwm2m::ObjectId{23}}) {
        EXPECT_TRUE(is_refused(Read{{id, 0}}));
        EXPECT_TRUE(is_refused(Observe{{id, 0}}));
        EXPECT_TRUE(is_refused(Create{id}));
        EXPECT_TRUE(is_refused(Delete{{id, 0}}));
    }
}

TEST(Request, RefusesAttributesThatBreakARule) {
    Attributes attributes;
    EXPECT_TRUE(is_refused(WriteAttributes{{3, 0, 9}, attributes}));
    attributes.lt = 50;
    attributes.gt = 20;
    EXPECT_TRUE(is_refused(WriteAttributes{{3, 0, 9}, attributes}));
}

TEST(Request, RefusesAnAlternatePathThatDoesNotFit) {
    const std::string root = "/" + std::string(2000, 'a');
    EXPECT_EQ(to_request(Read{{3, 0}}, root).error().code, Errc::too_large);
}

TEST(ExecuteArguments, FollowTheGrammar) {  // Core 1.2 section 6.3.5
    for (const char* good : {"", "5", "2='10.3'", "0,1,2,3,4", "7,0=' https://a/b '", "0=''"}) {
        EXPECT_TRUE(check_execute_arguments(good).has_value()) << good;
    }
    for (const char* bad : {"a", "10", "0,0", "0,", ",0", "0=", "0='a", "0=a", "0='a'1", "0='\\'", "0='\n'", " 0"}) {
        EXPECT_FALSE(check_execute_arguments(bad).has_value()) << bad;
    }
}

TEST(Operation, HasNameAndPath) {
    EXPECT_EQ(name_of(WriteAttributes{{3}}), "write-attributes");
    EXPECT_EQ(path_of(Create{16}), Path{16});
    EXPECT_EQ(path_of(Read{{3, 0}}), (Path{3, 0}));
}

TEST(Response, TakesTheCodeOfTheOperation) {
    EXPECT_TRUE(check_response(Read{{3, 0}}, coap::Code::content).has_value());
    EXPECT_TRUE(check_response(Write{{3, 0}}, coap::Code::changed).has_value());
    EXPECT_TRUE(check_response(Execute{{3, 0, 4}}, coap::Code::changed).has_value());
    EXPECT_TRUE(check_response(Create{16}, coap::Code::created).has_value());
    EXPECT_TRUE(check_response(Delete{{16, 0}}, coap::Code::deleted).has_value());
    EXPECT_TRUE(check_response(Observe{{3, 0}}, coap::Code::content).has_value());
}

TEST(Response, RefusesAnyOtherSuccess) {
    EXPECT_EQ(check_response(Read{{3, 0}}, coap::Code::changed).error().code, Errc::failed_precondition);
    EXPECT_EQ(check_response(Write{{3, 0}}, coap::Code::content).error().code, Errc::failed_precondition);
}

TEST(Response, TellsWhatTheDeviceSaid) {
    const auto result = check_response(Read{{3, 0, 99}}, coap::Code::not_found, as_bytes("no\nsuch"));
    EXPECT_EQ(result.error().code, Errc::not_found);
    EXPECT_EQ(result.error().message, "read /3/0/99: the device answered 4.04 \"no?such\"");
}

TEST(Response, NeedsAContentFormat) {
    EXPECT_EQ(format_of(11542).value(), ContentFormat::tlv);
    EXPECT_EQ(format_of(std::nullopt).error().code, Errc::invalid_argument);
    EXPECT_EQ(format_of(11544).error().code, Errc::unsupported);
    EXPECT_EQ(format_of(50).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace lanyard::lwm2m_coap
