#include "base/flat_map.hpp"

#include <random>
#include <string>
#include <unordered_map>

#include <gtest/gtest.h>

namespace lanyard {
namespace {

// Sends every key to the last slots of a small table, so that probing wraps around its end.
struct WorstHash {
    std::uint64_t operator()(int) const { return 14; }
};

TEST(FlatMap, FindsWhatWasPutAndNothingElse) {
    FlatMap<int, std::string> map;
    EXPECT_EQ(map.find(1), nullptr);
    EXPECT_TRUE(map.try_emplace(1, "one").second);
    EXPECT_FALSE(map.try_emplace(1, "uno").second);
    EXPECT_EQ(*map.find(1), "one");
    EXPECT_EQ(map.find(2), nullptr);
    map.insert_or_assign(1, "eins");
    EXPECT_EQ(*map.find(1), "eins");
    EXPECT_TRUE(map.erase(1));
    EXPECT_FALSE(map.erase(1));
    EXPECT_TRUE(map.empty());
}

TEST(FlatMap, LooksUpTextsWithoutMakingAString) {
    FlatMap<std::string, int> map;
    map["device"] = 7;
    EXPECT_EQ(*map.find(std::string_view("device")), 7);
}

TEST(FlatMap, ClosesTheGapWhenACollidingElementIsErased) {
    FlatMap<int, int, WorstHash> map;
    for (int i = 0; i < 10; ++i) map[i] = i;
    for (int gone = 0; gone < 10; gone += 3) ASSERT_TRUE(map.erase(gone));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(map.contains(i), i % 3 != 0) << i;
}

TEST(FlatMap, AgreesWithTheStandardMapOverRandomOperations) {
    std::mt19937 random(4711);
    FlatMap<std::uint32_t, std::uint32_t> map;
    std::unordered_map<std::uint32_t, std::uint32_t> model;
    for (int step = 0; step < 200'000; ++step) {
        const auto key = static_cast<std::uint32_t>(random() % 3000);
        if (random() % 2 == 0) {
            map.insert_or_assign(key, static_cast<std::uint32_t>(step));
            model[key] = *map.find(key);
        } else {
            ASSERT_EQ(map.erase(key), model.erase(key) == 1);
        }
        ASSERT_EQ(map.size(), model.size());
    }
    std::size_t seen = 0;
    map.for_each([&](std::uint32_t key, std::uint32_t value) {
        ++seen;
        ASSERT_EQ(model.at(key), value);
    });
    EXPECT_EQ(seen, model.size());
}

TEST(FlatMap, ErasesByPredicateAcrossTheWrap) {
    FlatMap<int, int, WorstHash> map;
    for (int i = 0; i < 12; ++i) map[i] = i;
    EXPECT_EQ(map.erase_if([](int, int value) { return value % 2 == 0; }), 6U);
    for (int i = 0; i < 12; ++i) EXPECT_EQ(map.contains(i), i % 2 == 1) << i;
}

TEST(FlatMap, DoesNotGrowWithinWhatWasReserved) {
    FlatMap<int, int> map;
    map.reserve(1000);
    const std::size_t capacity = map.capacity();
    EXPECT_GE(capacity, 1000U);
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 1000; ++i) map[round * 1000 + i] = i;
        for (int i = 0; i < 1000; ++i) map.erase(round * 1000 + i);
    }
    EXPECT_EQ(map.capacity(), capacity);
}

TEST(FlatMap, MovesItsElements) {
    FlatMap<int, std::unique_ptr<int>> map;
    for (int i = 0; i < 100; ++i) map[i] = std::make_unique<int>(i);
    FlatMap<int, std::unique_ptr<int>> moved = std::move(map);
    EXPECT_EQ(moved.size(), 100U);
    EXPECT_EQ(**moved.find(42), 42);
    moved.clear();
    EXPECT_FALSE(moved.contains(42));
}

}  // namespace
}  // namespace lanyard
