#include "identity/sealed_token.hpp"

#include <gtest/gtest.h>

namespace lanyard::identity {
namespace {

constexpr SipKey kKey{1, 2, 3};
constexpr auto kKind = TokenKind::device_page;

TEST(SealedToken, ComesBackForItsKeyKindAndScopeOnly) {
    const std::uint64_t scope = token_scope("tenants/a", 7);
    const std::string token = seal(kKey, kKind, scope, as_bytes("content"));
    const auto back = unseal(kKey, kKind, scope, token);
    ASSERT_TRUE(back);
    EXPECT_EQ(to_string(ByteView(*back)), "content");
    EXPECT_FALSE(unseal(SipKey{9}, kKind, scope, token));
    EXPECT_FALSE(unseal(kKey, TokenKind::device_watch, scope, token));
    for (const std::uint64_t other : {token_scope("tenants/a", 8), token_scope("tenants/b", 7)}) {
        const auto refused = unseal(kKey, kKind, other, token);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::invalid_argument);
        EXPECT_EQ(refused.error().message, "the token was made for another parent or filter");
    }
}

TEST(SealedToken, MayBeEmptyInside) {
    const auto back = unseal(kKey, kKind, 1, seal(kKey, kKind, 1, {}));
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->empty());
}

TEST(SealedToken, AnyChangedCharacterIsRefused) {
    const std::string token = seal(kKey, kKind, 5, as_bytes("0123456789"));
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string forged = token;
        forged[i] = forged[i] == 'A' ? 'Q' : 'A';
        EXPECT_FALSE(unseal(kKey, kKind, 5, forged)) << i;
        EXPECT_FALSE(unseal(kKey, kKind, 5, token.substr(0, i))) << i;
    }
    EXPECT_FALSE(unseal(kKey, kKind, 5, "not base64!"));
    EXPECT_FALSE(unseal(kKey, kKind, 5, std::string(100000, 'A')));
}

}  // namespace
}  // namespace lanyard::identity
