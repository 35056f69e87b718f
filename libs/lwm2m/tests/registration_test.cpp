#include "lwm2m/registration.hpp"

#include <gtest/gtest.h>

#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m {
namespace {

using Query = std::vector<std::string_view>;

constexpr RegisterPolicy kStrict{.allow_missing_lifetime = false,
                                 .allow_missing_version = false,
                                 .allow_unknown_parameters = false,
                                 .allow_unknown_minor = false,
                                 .allow_missing_endpoint = false};

// The failure, or nothing when it is accepted.
std::optional<RegisterFailure> refusal(const Query& query, const RegisterPolicy& policy = {}) {
    const auto result = parse_register(query, policy);
    return result ? std::nullopt : std::optional(result.error().failure);
}

TEST(Register, ReadsParametersInAnyOrder) {
    const auto parsed = parse_register(
        Query{"lt=300", "sms=491701234567", "Q", "b=UT", "pid=6:27354b9a", "ep=urn:imei:123", "lwm2m=1.2"}, kStrict);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->endpoint, "urn:imei:123");
    EXPECT_EQ(parsed->lifetime_s, 300U);
    EXPECT_EQ(parsed->version, (Version{1, 2}));
    EXPECT_EQ(parsed->transports.to_string(), "UT");
    EXPECT_TRUE(parsed->queue_mode);
    EXPECT_EQ(parsed->sms, "491701234567");
    EXPECT_EQ(parsed->profile_ids, std::vector<std::string>{"6:27354b9a"});
}

TEST(Register, FillsInWhatLenientServersTake) {
    const auto parsed = parse_register(Query{"ep=a"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->lifetime_s, kDefaultLifetime);
    EXPECT_EQ(parsed->version, (Version{1, 0}));
    EXPECT_EQ(parsed->transports.to_string(), "U");
    EXPECT_FALSE(parsed->queue_mode);
    EXPECT_EQ(parse_register(Query{})->endpoint, "");
}

TEST(Register, RefusesTheSameWhenStrict) {
    EXPECT_EQ(refusal({"ep=a", "lt=1", "lwm2m=1.1"}, kStrict), std::nullopt);
    EXPECT_EQ(refusal({"ep=a", "lt=1"}, kStrict), RegisterFailure::bad_request);
    EXPECT_EQ(refusal({"ep=a", "lwm2m=1.1"}, kStrict), RegisterFailure::bad_request);
    EXPECT_EQ(refusal({"lt=1", "lwm2m=1.1"}, kStrict), RegisterFailure::bad_request);
    EXPECT_EQ(refusal({"ep=a", "lt=1", "lwm2m=1.1", "x=1"}, kStrict), RegisterFailure::bad_request);
    EXPECT_EQ(refusal({"ep=a", "lt=1", "lwm2m=1.3"}, kStrict), RegisterFailure::unsupported_version);
}

TEST(Register, TakesEveryMinorVersionOfOne) {
    for (const auto* version : {"lwm2m=1.0", "lwm2m=1.1", "lwm2m=1.2", "lwm2m=1.9", "lwm2m=1.1.1"}) {
        EXPECT_EQ(refusal({"ep=a", version}), std::nullopt) << version;
    }
    EXPECT_EQ(refusal({"ep=a", "lwm2m=2.0"}), RegisterFailure::unsupported_version);
    EXPECT_EQ(refusal({"ep=a", "lwm2m=0.9"}), RegisterFailure::unsupported_version);
    EXPECT_EQ(refusal({"ep=a", "lwm2m=x"}), RegisterFailure::bad_request);
}

TEST(Register, TakesZeroAsInfiniteLifetime) {
    EXPECT_EQ(parse_register(Query{"ep=a", "lt=0"})->lifetime_s, kInfiniteLifetime);
    EXPECT_EQ(parse_register(Query{"ep=a", "lt=4294967295"})->lifetime_s, 4294967295U);
}

TEST(Register, RefusesMalformedParameters) {
    const std::string long_name = "ep=" + std::string(kMaxEndpointBytes + 1, 'a');
    const std::string long_sms = "sms=" + std::string(kMaxSmsBytes + 1, '1');
    for (const auto& query : {Query{"ep=a", "ep=a"},
                              Query{"ep=a", "ep=b"},
                              Query{"ep="},
                              Query{"ep"},
                              Query{long_name},
                              Query{"ep=a/b"},
                              Query{"ep=a\x01"},
                              Query{"ep=\xff"},
                              Query{"ep=\xc2\x85"},
                              Query{"ep=a", "lt=abc"},
                              Query{"ep=a", "lt="},
                              Query{"ep=a", "lt"},
                              Query{"ep=a", "lt=-1"},
                              Query{"ep=a", "lt=4294967296"},
                              Query{"ep=a", "lt=1.5"},
                              Query{"ep=a", "Q=1"},
                              Query{"ep=a", "Q", "Q"},
                              Query{"ep=a", "pid=x"},
                              Query{"ep=a", "pid=6:"},
                              Query{"ep=a", "pid=\"6:1"},
                              Query{"ep=a", "pid=6:1\x1f"},
                              Query{"ep=a", long_sms},
                              Query(kMaxQueryParameters + 1, "x=1")}) {
        EXPECT_EQ(refusal(query), RegisterFailure::bad_request) << query.back();
    }
}

TEST(Register, TakesEndpointNamesAtTheLimit) {
    EXPECT_TRUE(is_valid_endpoint(std::string(kMaxEndpointBytes, 'a')));
    EXPECT_TRUE(is_valid_endpoint("urn:dev:ops:ACME-sensor-1 \xc3\xa9"));
    EXPECT_TRUE(is_valid_endpoint("a=b&c"));
    EXPECT_FALSE(is_valid_endpoint(""));
    EXPECT_FALSE(is_valid_endpoint("a\x7f"));
}

TEST(Register, ReadsEverySpellingOfBindings) {
    struct Case {
        const char* text;
        const char* transports;
        bool queue;
    };
    for (const auto& item : {Case{"b=U", "U", false}, Case{"b=UQ", "U", true}, Case{"b=S", "S", false},
                             Case{"b=SQ", "S", true}, Case{"b=US", "US", false}, Case{"b=UQS", "US", true},
                             Case{"b=UQT", "UT", true}, Case{"b=TUMHN", "UTNMH", false}, Case{"b=X", "U", false}}) {
        const auto parsed = parse_register(Query{"ep=a", item.text});
        EXPECT_EQ(parsed->transports.to_string(), item.transports) << item.text;
        EXPECT_EQ(parsed->queue_mode, item.queue) << item.text;
    }
}

TEST(Register, ReadsProfileLists) {  // Core 1.2 section 6.2.1
    EXPECT_EQ(parse_register(Query{"ep=a", "pid=\"6:1234abcd,oma:x,v:acme-1\""})->profile_ids,
              (std::vector<std::string>{"6:1234abcd", "oma:x", "v:acme-1"}));
}

TEST(Register, ReadsBackWhatItWrites) {
    for (const Version version : {Version{1, 0}, Version{1, 1}, Version{1, 2}}) {
        RegisterParameters parameters;
        parameters.endpoint = "a";
        parameters.lifetime_s = 60;
        parameters.version = version;
        parameters.queue_mode = true;
        parameters.profile_ids = {"6:1234abcd", "v:x"};
        const auto written = register_query(parameters);
        const auto read = parse_register(Query(written.begin(), written.end()), kStrict);
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(read->version, version);
        EXPECT_TRUE(read->queue_mode);
        EXPECT_EQ(read->profile_ids, parameters.profile_ids);
    }
    EXPECT_EQ(register_query({.endpoint = "a", .version = {1, 0}, .queue_mode = true}),
              (std::vector<std::string>{"ep=a", "lwm2m=1.0", "lt=86400", "b=UQ"}));
    EXPECT_EQ(register_query({.endpoint = "a", .version = {1, 1}, .queue_mode = true}),
              (std::vector<std::string>{"ep=a", "lwm2m=1.1", "lt=86400", "Q"}));
}

TEST(Update, TakesNothingAsKeepAlive) {
    EXPECT_TRUE(parse_update(Query{})->is_keep_alive());
    EXPECT_TRUE(parse_update(Query{"ep=a", "lwm2m=1.0"})->is_keep_alive());
}

TEST(Update, ReadsOnlyWhatChanges) {
    const auto parsed = parse_update(Query{"lt=120", "sms=123"});
    EXPECT_EQ(parsed->lifetime_s, 120U);
    EXPECT_EQ(parsed->sms, "123");
    EXPECT_EQ(parsed->queue_mode, std::nullopt);
    EXPECT_EQ(parsed->transports, std::nullopt);
}

TEST(Update, ReadsBindingAndQueueModeTogether) {
    EXPECT_EQ(parse_update(Query{"b=U"})->queue_mode, false);
    EXPECT_EQ(parse_update(Query{"b=U", "Q"})->queue_mode, true);
    EXPECT_EQ(parse_update(Query{"b=UQ"})->queue_mode, true);
    EXPECT_EQ(parse_update(Query{"Q"})->queue_mode, true);
}

TEST(Update, RefusesMalformedParameters) {
    for (const auto& query : {Query{"lt=abc"}, Query{"lt=1", "lt=1"}, Query{"Q=x"}}) {
        EXPECT_EQ(parse_update(query).error().failure, RegisterFailure::bad_request);
    }
}

TEST(RegisterFailure, HasNames) {
    EXPECT_EQ(to_string(RegisterFailure::unsupported_version), "unsupported_version");
}

}  // namespace
}  // namespace lanyard::lwm2m
