#include <gtest/gtest.h>

#include "identity/sealed_token.hpp"
#include "list_tokens.hpp"

namespace lanyard::registry {
namespace {

const SipKey kKey{1, 2, 3};

TEST(PageToken, ComesBackForTheSameScopeOnly) {
    const std::uint64_t scope = identity::token_scope("default", 7);
    const std::string token = make_page_token(kKey, scope, {63, 4000000000U});
    const auto back = parse_page_token(kKey, scope, token);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->partition, 63U);
    EXPECT_EQ(back->after, 4000000000U);
    EXPECT_EQ(parse_page_token(kKey, identity::token_scope("default", 8), token).error().code, Errc::invalid_argument);
    EXPECT_EQ(parse_page_token(kKey, identity::token_scope("other", 7), token).error().code, Errc::invalid_argument);
    EXPECT_FALSE(parse_page_token(SipKey{9}, scope, token));
}

TEST(PageToken, EmptyIsTheBeginning) {
    const auto begin = parse_page_token(kKey, 1, "");
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->partition, 0U);
    EXPECT_EQ(begin->after, 0U);
}

TEST(ResumeToken, KeepsTheTimeAndEveryOffset) {
    const ResumePosition position{1700000000123, {0, 17, 1LL << 40, -2}};
    const std::string token = make_resume_token(kKey, 3, position);
    const auto back = parse_resume_token(kKey, 3, token);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, position);
    EXPECT_FALSE(parse_resume_token(kKey, 4, token));
    EXPECT_FALSE(parse_resume_token(kKey, 3, make_page_token(kKey, 3, {1, 2})));
    EXPECT_FALSE(parse_resume_token(kKey, 3, ""));
}

}  // namespace
}  // namespace lanyard::registry
