#include "harness.hpp"

namespace lanyard::coap_ingress {
namespace {

using coap::Code;
using coap::Type;

struct BadRequest {
    std::string name;
    Code method;
    std::string path;
    std::vector<std::string> queries;
    std::optional<std::uint16_t> format;
    std::string payload;
    Code expected;
};
void PrintTo(const BadRequest& request, std::ostream* out) {
    *out << request.name;
}

class BadRequests : public ShardTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequests, HasTheCodeOfTheTableADiagnosticTextAndACount) {
    const BadRequest& request = GetParam();
    coap::Options options;
    options.path(request.path);
    if (request.format) options.content_format(*request.format);
    for (const auto& query : request.queries) options.query(query);
    send(peer(1000), Type::confirmable, request.method, options, request.payload);
    const auto message = seen();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->view.code(), request.expected) << as_text(message->view.payload());
    EXPECT_FALSE(message->view.payload().empty());
    EXPECT_EQ(metrics.refused[static_cast<std::uint8_t>(request.expected)].value(), 1U);
    EXPECT_TRUE(commands.empty());
}

const std::vector<BadRequest> kBadRequests{
    {"no ep", Code::post, "rd", {"lt=60", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"ep twice", Code::post, "rd", {"ep=a", "ep=b", "lt=60", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"ep longer than an option", Code::post, "rd", {"ep=" + std::string(253, 'x')}, 40, "</1/0>", Code::bad_option},
    {"ep not UTF-8", Code::post, "rd", {"ep=\xff", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"b not UTF-8", Code::post, "rd", {"ep=a", "lwm2m=1.1", "b=U\xff"}, 40, "</1/0>", Code::bad_request},
    {"links not UTF-8", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, 40, "</1/0>;x=\xc3", Code::bad_request},
    {"ep with slash", Code::post, "rd", {"ep=a/b", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"lt no number", Code::post, "rd", {"ep=a", "lt=abc", "lwm2m=1.1"}, 40, "</1/0>", Code::bad_request},
    {"unknown version", Code::post, "rd", {"ep=a", "lwm2m=2.0"}, 40, "</1/0>", Code::precondition_failed},
    {"bad links", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, 40, "</1/0></2/0>", Code::bad_request},
    {"wrong format", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, 0, "</1/0>", Code::unsupported_content_format},
    {"no list in 1.1", Code::post, "rd", {"ep=a", "lwm2m=1.1"}, std::nullopt, "", Code::bad_request},
    {"no list in 1.2", Code::post, "rd", {"ep=a", "lwm2m=1.2"}, std::nullopt, "", Code::conflict},
    {"unknown path", Code::post, "nothing", {}, std::nullopt, "", Code::not_found},
    {"get rd", Code::get, "rd", {}, std::nullopt, "", Code::method_not_allowed},
    {"put update", Code::put, "rd/aaaaaaaaaaaaaaaaaaaaaaaa", {}, std::nullopt, "", Code::method_not_allowed},
    {"forged location", Code::post, "rd/aaaaaaaaaaaaaaaaaaaaaaaa", {}, std::nullopt, "", Code::not_found},
    {"odd location", Code::delete_, "rd/5a3f", {}, std::nullopt, "", Code::not_found},
    {"send from a stranger", Code::post, "dp", {}, 110, "[]", Code::not_found},
    {"send in tlv", Code::post, "dp", {}, 11542, "x", Code::unsupported_content_format},
    {"send in lwm2m cbor", Code::post, "dp", {}, 11544, "x", Code::unsupported_content_format},
};
INSTANTIATE_TEST_SUITE_P(Table, BadRequests, ::testing::ValuesIn(kBadRequests));

class Refusal : public ShardTest {};

using Lines = std::vector<std::string>;

TEST_F(Refusal, IsLoggedWithWhoAndWhyOnceForEachCode) {
    start_register(peer(1000), "dev-1", "abc");
    EXPECT_EQ(logged(), (Lines{R"("msg":"request of a device refused","code":"4.00","tenant":"default",)"
                               R"("endpoint":"dev-1","peer":"127.0.0.1:1000",)"
                               R"("detail":"lt: must be a number of seconds below 2^32","suppressed":0})"
                               "\n"}));
    start_register(peer(1001, 1), "dev-2", "abc");
    EXPECT_TRUE(logged().empty());
    start_register(peer(1001, 1), "dev-2");
    core().on_registry_result(answer_to(take_command(), RegistryAnswer::STATUS_FORBIDDEN), now);
    const Lines forbidden = logged();
    ASSERT_EQ(forbidden.size(), 1U);
    EXPECT_NE(forbidden[0].find(R"("code":"4.03","tenant":"other","endpoint":"dev-2","peer":"127.0.0.1:1001")"),
              std::string::npos)
        << forbidden[0];
    advance(11s);
    start_register(peer(1000), "dev-1", "abc");
    const Lines again = logged();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_NE(again[0].find(R"("suppressed":1)"), std::string::npos);
}

TEST_F(Refusal, OfARegisteredDeviceIsLoggedWithItsName) {
    const auto id = register_device(peer(1000), "dev-1", 64);
    auto options = location_options(id);
    options.query("lt=abc");
    send(peer(1000), Type::confirmable, Code::post, options);
    send(peer(1000), Type::confirmable, Code::get, location_options(id));
    const Lines lines = logged();
    ASSERT_EQ(lines.size(), 2U);
    for (const std::string& line : lines) EXPECT_NE(line.find(R"("endpoint":"dev-1")"), std::string::npos) << line;
}

TEST_F(Refusal, OfWhatIsNoMessageIsLoggedOncePerKind) {
    const std::array<std::uint8_t, 4> bad_version{0x80, 1, 0, 1};
    const std::array<std::uint8_t, 4> long_token{0x4f, 1, 0, 1};
    for (int i = 0; i < 3; ++i) {
        receive(peer(1000), bad_version);
        receive(peer(1001), long_token);
    }
    EXPECT_EQ(logged(), (Lines{R"("msg":"datagram is no CoAP message","error":"bad_version",)"
                               R"("peer":"127.0.0.1:1000","suppressed":0})"
                               "\n",
                               R"("msg":"datagram is no CoAP message","error":"token_too_long",)"
                               R"("peer":"127.0.0.1:1001","suppressed":0})"
                               "\n"}));
}

}  // namespace
}  // namespace lanyard::coap_ingress
