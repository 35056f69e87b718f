#include "lwm2m_coap/uplink.hpp"

#include <gtest/gtest.h>

#include "lwm2m_coap/error_map.hpp"
#include "support.hpp"

namespace lanyard::lwm2m_coap {
namespace {

using coap::Code;

// Keeps the bytes that the result views.
class Classified {
  public:
    Classified(Code method, const coap::Options& options, bool has_payload = false) {
        const Bytes body(has_payload ? 1 : 0);
        const auto bytes = coap::encode(buffer_, {coap::Type::confirmable, method, 1}, {}, options, body);
        EXPECT_EQ(message_.decode(bytes), coap::DecodeError::none);
        result_ = classify(message_.code(), message_.options(), has_payload);
    }
    const UplinkResult& operator*() const { return result_; }
    const UplinkResult* operator->() const { return &result_; }

  private:
    std::array<std::uint8_t, 4096> buffer_{};
    coap::MessageView message_;
    UplinkResult result_;
};

coap::Options path(std::string_view text) {
    coap::Options options;
    options.path(text);
    return options;
}

TEST(Classify, KnowsARegister) {  // F-10
    const Bytes bytes = from_hex(
                            "4102000101b2726411283d0465703d6578616d706c652d636c69656e74096c776d326d3d312e31086c743d3836"
                            "343030ff3c2f312f303e2c3c2f332f303e")
                            .value();
    coap::MessageView message;
    ASSERT_EQ(message.decode(bytes), coap::DecodeError::none);
    const auto result = classify(message.code(), message.options(), !message.payload().empty());
    ASSERT_TRUE(result);
    EXPECT_EQ(result.uplink->kind, UplinkKind::register_);
    EXPECT_EQ(result.uplink->format, lwm2m::ContentFormat::link_format);
    ASSERT_EQ(result.uplink->query().size(), 3U);
    EXPECT_EQ(result.uplink->query()[0], "ep=example-client");
    EXPECT_EQ(result.uplink->query()[2], "lt=86400");
}

TEST(Classify, KnowsUpdateAndDeregister) {  // F-12
    const Classified update(Code::post, path("/rd/5a3f").query("lt=600000"));
    ASSERT_TRUE(*update);
    EXPECT_EQ(update->uplink->kind, UplinkKind::update);
    EXPECT_EQ(update->uplink->location, "5a3f");
    const Classified put(Code::put, path("/rd/5a3f"));
    EXPECT_EQ(put->uplink->kind, UplinkKind::update);
    const Classified gone(Code::delete_, path("/rd/5a3f"));
    EXPECT_EQ(gone->uplink->kind, UplinkKind::deregister);
}

TEST(Classify, KnowsASend) {
    const Classified cbor(Code::post, path("/dp").content_format(112), true);
    ASSERT_TRUE(*cbor);
    EXPECT_EQ(cbor->uplink->kind, UplinkKind::send);
    EXPECT_EQ(cbor->uplink->format, lwm2m::ContentFormat::senml_cbor);
    EXPECT_TRUE(*Classified(Code::post, path("/dp").content_format(110), true));
}

TEST(Classify, TakesAPayloadWithoutFormatAsLinks) {
    const Classified result(Code::post, path("/rd").query("ep=a"), true);
    ASSERT_TRUE(*result);
    EXPECT_EQ(result->uplink->format, std::nullopt);
}

TEST(Classify, RefusesOtherPathsWithNotFound) {
    for (const char* text : {"/", "/x", "/rd/a/b", "/dp/1", "/RD", "/bs", "/.well-known/core"}) {
        const Classified result(Code::post, path(text));
        EXPECT_FALSE(*result) << text;
        EXPECT_EQ(result->refusal, Code::not_found) << text;
        EXPECT_FALSE(result->reason.empty());
    }
}

TEST(Classify, RefusesOtherMethods) {
    EXPECT_EQ(Classified(Code::get, path("/rd"))->refusal, Code::method_not_allowed);
    EXPECT_EQ(Classified(Code::put, path("/rd"))->refusal, Code::method_not_allowed);
    EXPECT_EQ(Classified(Code::get, path("/rd/1"))->refusal, Code::method_not_allowed);
    EXPECT_EQ(Classified(Code::fetch, path("/dp"))->refusal, Code::method_not_allowed);
}

TEST(Classify, RefusesOtherFormats) {
    EXPECT_EQ(Classified(Code::post, path("/rd").content_format(0), true)->refusal, Code::unsupported_content_format);
    EXPECT_EQ(Classified(Code::post, path("/rd/1").content_format(65000), true)->refusal,
              Code::unsupported_content_format);
    EXPECT_EQ(Classified(Code::post, path("/dp").content_format(11542), true)->refusal,
              Code::unsupported_content_format);
    EXPECT_EQ(Classified(Code::post, path("/dp"), true)->refusal, Code::bad_request);
    EXPECT_EQ(Classified(Code::post, path("/dp").content_format(110))->refusal, Code::bad_request);
}

TEST(Classify, BoundsParameters) {
    coap::Options options = path("/rd");
    for (std::size_t i = 0; i <= lwm2m::kMaxQueryParameters; ++i) options.query("x=1");
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(Classified(Code::post, options)->refusal, Code::bad_request);
}

TEST(Classify, NamesItsKinds) {
    EXPECT_EQ(to_string(UplinkKind::register_), "register");
    EXPECT_EQ(to_string(UplinkKind::send), "send");
}

TEST(ErrorMap, GivesEveryErrorAnErrorCode) {
    for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
        const auto code = to_code(static_cast<Errc>(i));
        EXPECT_TRUE(coap::code_class(code) == 4 || coap::code_class(code) == 5) << i;
    }
    EXPECT_EQ(to_code(Errc::invalid_argument), Code::bad_request);
    EXPECT_EQ(to_code(Errc::not_found), Code::not_found);
    EXPECT_EQ(to_code(Errc::too_large), Code::request_entity_too_large);
    EXPECT_EQ(to_code(Errc::unavailable), Code::service_unavailable);
}

TEST(ErrorMap, GivesRegisterFailuresTheCodesOfTheTransport) {
    using lwm2m::RegisterFailure;
    EXPECT_EQ(to_code(RegisterFailure::bad_request), Code::bad_request);
    EXPECT_EQ(to_code(RegisterFailure::forbidden), Code::forbidden);
    EXPECT_EQ(to_code(RegisterFailure::not_found), Code::not_found);
    EXPECT_EQ(to_code(RegisterFailure::objects_unknown), Code::conflict);
    EXPECT_EQ(to_code(RegisterFailure::unsupported_version), Code::precondition_failed);
    EXPECT_EQ(to_code(RegisterFailure::too_large), Code::request_entity_too_large);
    EXPECT_EQ(to_code(RegisterFailure::unsupported_format), Code::unsupported_content_format);
    EXPECT_EQ(to_code(RegisterFailure::overloaded), Code::service_unavailable);
}

TEST(ErrorMap, MapsUnknownCodesByClass) {
    EXPECT_EQ(to_errc(Code::unauthorized), Errc::permission_denied);
    EXPECT_EQ(to_errc(Code::method_not_allowed), Errc::failed_precondition);
    EXPECT_EQ(to_errc(Code::gateway_timeout), Errc::deadline_exceeded);
    EXPECT_EQ(to_errc(static_cast<Code>(0x9f)), Errc::invalid_argument);
    EXPECT_EQ(to_errc(static_cast<Code>(0xbf)), Errc::unavailable);
    EXPECT_EQ(to_errc(Code::internal_server_error), Errc::internal);
    EXPECT_EQ(to_errc(Code::content), Errc::internal);
}

}  // namespace
}  // namespace lanyard::lwm2m_coap
