// Names, ids and tokens that clients and devices send. What is read is written again and must be the same.

#include <cstdlib>

#include "identity/observation_token.hpp"
#include "identity/registration_id.hpp"
#include "identity/resource_name.hpp"
#include "identity/sealed_token.hpp"

namespace lanyard::identity {
namespace {

constexpr SipKey kKey{1, 2, 3};
constexpr TokenKind kKind = TokenKind::device_page;

void check(bool holds) {
    if (!holds) std::abort();
}

void tokens(std::string_view text) {
    if (const auto id = parse_registration_id(kKey, text)) check(format_registration_id(kKey, *id) == text);
    if (const auto token = parse_observation_token(as_bytes(text))) {
        check(token->device.value != 0);
        (void)verify_observation_token(kKey, *token, 1);
    }
    (void)unseal(kKey, kKind, 7, text);
    // The input as content, since no fuzzer finds the mac.
    const auto back = unseal(kKey, kKind, 7, seal(kKey, kKind, 7, as_bytes(text)));
    check(!back || as_text(*back) == text);
    check(back || text.size() > 1024);
}

void names(std::string_view text) {
    if (const auto name = parse_device_name(text)) {
        check(check_tenant(name->tenant).has_value() && check_endpoint(name->endpoint).has_value());
        check(name->resource_name() == text);
    }
    if (const auto name = parse_device_key(text)) check(name->key() == text);
    (void)parse_tenant_name(text);
}

}  // namespace
}  // namespace lanyard::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    lanyard::identity::tokens(text);
    lanyard::identity::names(text);
    return 0;
}
