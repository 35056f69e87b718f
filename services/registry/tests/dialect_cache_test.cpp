#include "dialect_cache.hpp"

#include <gtest/gtest.h>

namespace lanyard::registry {
namespace {

DeviceRecord announcing(std::string version, std::string links) {
    DeviceRecord device;
    device.registration.lwm2m_version = std::move(version);
    device.registration.object_links = std::move(links);
    return device;
}

TEST(DialectCache, ReadsAListOnceForEachVersion) {
    DialectCache cache;
    const auto first = cache.of(announcing("1.1", "</3>;ver=1.2,</3303/0>"));
    ASSERT_EQ(first->objects.objects.size(), 2U);
    EXPECT_EQ(first->objects.objects[0].version, (lwm2m::Version{1, 2}));
    EXPECT_EQ(cache.of(announcing("1.1", "</3>;ver=1.2,</3303/0>")), first);
    const auto older = cache.of(announcing("1.0", "</3>;ver=1.2,</3303/0>"));
    EXPECT_NE(older, first);
    EXPECT_EQ(older->version, (lwm2m::Version{1, 0}));
    EXPECT_NE(cache.of(announcing("1.1", "</3>,</3303/0>")), first);
}

TEST(DialectCache, StaysBounded) {
    DialectCache cache;
    const auto first = cache.of(announcing("1.1", "</3/0>"));
    for (std::size_t i = 0; i < DialectCache::kLists; ++i) {
        const auto other = cache.of(announcing("1.1", "</3/" + std::to_string(i + 1) + ">"));
        EXPECT_EQ(other->objects.objects.size(), 1U);
    }
    EXPECT_NE(cache.of(announcing("1.1", "</3/0>")), first);
}

TEST(DialectCache, AVeryLongListIsNotKept) {
    std::string links = "</3/0>";
    for (int i = 0; links.size() <= DialectCache::kListBytes; ++i) links += ",</3303/" + std::to_string(i) + ">";
    DialectCache cache;
    const auto first = cache.of(announcing("1.1", links));
    EXPECT_EQ(first->objects.objects.size(), 2U);
    EXPECT_NE(cache.of(announcing("1.1", links)), first);
}

}  // namespace
}  // namespace lanyard::registry
