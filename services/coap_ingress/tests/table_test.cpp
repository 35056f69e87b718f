#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "links_memo.hpp"
#include "registration_table.hpp"

namespace lanyard::coap_ingress {
namespace {

DeviceInfo info(std::uint32_t number, std::string_view endpoint) {
    DeviceInfo made;
    made.number = number;
    made.generation = 1;
    made.tenant = "default";
    made.endpoint = endpoint;
    return made;
}

coap::PeerId peer(std::uint32_t host, std::uint16_t port) {
    return {Address::v4(host, port), 0};
}

TEST(RegistrationTable, FindsThousandsByNumberAndPeer) {
    RegistrationTable table(1);
    for (std::uint32_t i = 1; i <= 5000; ++i) {
        ASSERT_NE(table.put(info(i, "device-" + std::to_string(i)), peer(i, 5683)), nullptr);
    }
    bool ambiguous = true;
    for (std::uint32_t i = 1; i <= 5000; ++i) {
        ASSERT_NE(table.find(i), nullptr);
        EXPECT_EQ(table.endpoint(*table.find(i)), "device-" + std::to_string(i));
        ASSERT_EQ(table.find_by_peer(peer(i, 5683), ambiguous), table.find(i));
        EXPECT_FALSE(ambiguous);
    }
    EXPECT_EQ(table.find(5001), nullptr);
}

TEST(RegistrationTable, ReusesRecordsAndTexts) {
    RegistrationTable table(1);
    Device* first = table.put(info(1, "abc"), peer(1, 1));
    table.erase(*first);
    EXPECT_EQ(table.size(), 0U);
    Device* second = table.put(info(2, "xyz"), peer(2, 1));
    EXPECT_EQ(first, second);
    EXPECT_EQ(table.endpoint(*second), "xyz");
    EXPECT_EQ(table.find(1), nullptr);
}

TEST(RegistrationTable, RebindMovesTheIndexOfPeers) {
    RegistrationTable table(1);
    Device* device = table.put(info(1, "abc"), peer(1, 1));
    table.rebind(*device, peer(9, 9));
    bool ambiguous = false;
    EXPECT_EQ(table.find_by_peer(peer(1, 1), ambiguous), nullptr);
    EXPECT_EQ(table.find_by_peer(peer(9, 9), ambiguous), device);
}

TEST(RegistrationTable, KnowsTheObjectsOfADevice) {
    RegistrationTable table(1);
    const std::uint32_t few[] = {1, 3, 3303, 65534};
    DeviceInfo with = info(1, "a");
    with.objects = table.keep_objects(few);
    const Device* device = table.put(with, peer(1, 1));
    for (const std::uint32_t id : few) EXPECT_TRUE(table.has_object(*device, static_cast<std::uint16_t>(id)));
    for (const std::uint32_t id : {2U, 4U, 256U})
        EXPECT_FALSE(table.has_object(*device, static_cast<std::uint16_t>(id)));
    EXPECT_TRUE(table.has_object(*table.put(info(2, "b"), peer(2, 1)), 5)) << "not told";
    const std::vector<std::uint32_t> many(ObjectLists::kIdsMax + 1, 7);
    with.objects = table.keep_objects(many);
    EXPECT_TRUE(table.has_object(*table.put(with, peer(1, 1)), 5)) << "too many to keep";
}

TEST(RegistrationTable, TellsWhenAPeerIsAmbiguous) {
    RegistrationTable table(1);
    table.put(info(1, "a"), peer(1, 1));
    Device* second = table.put(info(2, "b"), peer(1, 1));
    bool ambiguous = false;
    EXPECT_NE(table.find_by_peer(peer(1, 1), ambiguous), nullptr);
    EXPECT_TRUE(ambiguous);
    table.erase(*second);
    EXPECT_EQ(table.find_by_peer(peer(1, 1), ambiguous), table.find(1));
    EXPECT_FALSE(ambiguous);
}

TEST(RegistrationTable, UnknownAddressesAreNotIndexed) {
    RegistrationTable table(1);
    Device* device = table.put(info(1, "a"), {{}, kNoListener});
    bool ambiguous = false;
    EXPECT_EQ(table.find_by_peer({{}, kNoListener}, ambiguous), nullptr);
    table.rebind(*device, peer(1, 1));
    EXPECT_EQ(table.find_by_peer(peer(1, 1), ambiguous), device);
}

TEST(LinksMemo, KnowsATextOfAVersionAndNothingElse) {
    LinksMemo memo;
    const ByteView links = as_bytes("</3/0>,</3303/0>");
    EXPECT_FALSE(memo.find(links, {1, 1}));
    memo.keep(links, {1, 1}, 7);
    EXPECT_EQ(memo.find(links, {1, 1}), 7);
    EXPECT_FALSE(memo.find(links, {1, 0})) << "versions of objects depend on it";
    EXPECT_FALSE(memo.find(as_bytes("</3/0>,</3303/1>"), {1, 1}));
    EXPECT_FALSE(memo.find({}, {}));
    memo.keep(Bytes(LinksMemo::kBytesMax + 1, 'x'), {1, 1}, 8);
    EXPECT_FALSE(memo.find(Bytes(LinksMemo::kBytesMax + 1, 'x'), {1, 1})) << "too long to keep";
}

TEST(LinksMemo, StaysRightWhenMoreTextsComeThanItHasPlaces) {
    LinksMemo memo;
    for (std::uint16_t n = 0; n < 1000; ++n) {
        const std::string text = "</" + std::to_string(n) + "/0>";
        const ByteView links = as_bytes(text);
        memo.keep(links, {1, 1}, n);
        EXPECT_EQ(memo.find(links, {1, 1}), n);
    }
    int known = 0;
    for (std::uint16_t n = 0; n < 1000; ++n) {
        const auto found = memo.find(as_bytes("</" + std::to_string(n) + "/0>"), {1, 1});
        EXPECT_EQ(found.value_or(n), n);
        known += found ? 1 : 0;
    }
    EXPECT_GT(known, 0);
    EXPECT_LT(known, 1000);
}

TEST(TextArena, FillsPlacesOfTheSameLength) {
    TextArena arena;
    const TextRef first = arena.store("hello");
    arena.release(first);
    const TextRef second = arena.store("world");
    EXPECT_EQ(first.at, second.at);
    EXPECT_EQ(arena.view(second), "world");
    EXPECT_EQ(arena.view(arena.store("")), "");
}

}  // namespace
}  // namespace lanyard::coap_ingress
