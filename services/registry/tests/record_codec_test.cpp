// What the scripts leave in an outbox, byte for byte as docs/redis.md has it.
#include "record_codec.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lanyard::registry {
namespace {

using Elements = std::vector<std::string>;

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
    return out;
}

// Without profile and registration.
std::string record(std::uint8_t version = 1) {
    const std::string key = "default/urn:a";
    return big_endian(version, 1) + big_endian(3, 1) + big_endian(2, 4) + big_endian(5, 4) + big_endian(7, 4) +
           big_endian(1, 2) + big_endian(300, 4) + big_endian(9, 4) + big_endian(1, 4) + big_endian(1764000000000, 8) +
           big_endian(key.size(), 2) + big_endian(0, 2) + key;
}

std::string head(std::uint8_t event, std::uint32_t sequence) {
    return big_endian(event, 1) + big_endian(1764000000123, 8) + big_endian(sequence, 4);
}
std::string single(std::uint8_t event, std::uint32_t sequence, const std::string& content = record()) {
    return big_endian(3, 1) + head(event, sequence) + content;
}
std::string group(std::size_t count, const std::string& heads) {
    return big_endian(2, 1) + big_endian(count, 2) + heads;
}

OutboxEvents decode(const Elements& elements, std::size_t max = 100, bool all = true) {
    return decode_outbox(3, {elements.begin(), elements.end()}, max, all);
}
std::vector<std::uint32_t> sequences(const OutboxEvents& events) {
    std::vector<std::uint32_t> out;
    for (const OutboxEntry& entry : events.entries) out.push_back(entry.device.number.sequence());
    return out;
}

TEST(Outbox, HoldsSinglesAndGroupsInOrder) {
    const Elements elements{single(1, 4), group(2, head(4, 5) + head(1, 6)), record(), record(), single(7, 8)};
    const OutboxEvents events = decode(elements);
    EXPECT_EQ(events.elements, 5U);
    EXPECT_EQ(events.unreadable, 0U);
    EXPECT_EQ(sequences(events), (std::vector<std::uint32_t>{4, 5, 6, 8}));
    EXPECT_EQ(events.entries[0].device.number.partition(), 3U);
    EXPECT_EQ(events.entries[0].event, LifecycleEvent::registered);
    EXPECT_EQ(events.entries[0].time_ms, 1764000000123);
    EXPECT_EQ(events.entries[0].device.endpoint, "urn:a");
    EXPECT_EQ(events.entries[0].device.lifetime_s, 300U);
    EXPECT_EQ(events.entries[2].device.counter, 9U);
    EXPECT_TRUE(events.entries[2].device.registered);
}

TEST(Outbox, TheRecordOfAnExpiredOneIsThatOfBefore) {
    const OutboxEvents events = decode({single(4, 5)});
    ASSERT_EQ(events.entries.size(), 1U);
    EXPECT_FALSE(events.entries[0].device.registered);
    EXPECT_EQ(events.entries[0].device.counter, 10U);
    EXPECT_EQ(events.entries[0].device.generation, 2U);
}

TEST(Outbox, IsReadUpToTheLimitAndTheGroupThatReachesIt) {
    const Elements elements{group(3, head(1, 5) + head(1, 6) + head(1, 7)), record(), record(), record(), single(1, 8)};
    EXPECT_EQ(sequences(decode(elements, 2)), (std::vector<std::uint32_t>{5, 6, 7}));
    EXPECT_EQ(decode(elements, 2).elements, 4U);
    EXPECT_EQ(decode(elements, 4).elements, 5U);
}

// An event that fails while a later one of its device is stored would swap the two.
TEST(Outbox, IsReadUpToADeviceThatComesAgain) {
    const Elements elements{single(1, 4), group(2, head(1, 5) + head(1, 6)), record(),
                            record(),     group(2, head(1, 7) + head(2, 5)), record(),
                            record()};
    EXPECT_EQ(sequences(decode(elements)), (std::vector<std::uint32_t>{4, 5, 6}));
    EXPECT_EQ(decode(elements).elements, 4U);
    EXPECT_EQ(sequences(decode({single(1, 4), single(2, 4)})), (std::vector<std::uint32_t>{4}));
}

TEST(Outbox, AGroupWhoseRecordsAreNotAllHereWaitsWhenThereIsMore) {
    const Elements elements{single(1, 4), group(3, head(1, 5) + head(1, 6) + head(1, 7)), record(), record()};
    const OutboxEvents part = decode(elements, 100, false);
    EXPECT_EQ(part.elements, 1U);
    EXPECT_EQ(part.unreadable, 0U);
    const OutboxEvents end = decode(elements);
    EXPECT_EQ(end.elements, 4U) << "it would never be complete";
    EXPECT_EQ(end.entries.size(), 1U);
    EXPECT_EQ(end.unreadable, 3U);
}

TEST(Outbox, OneUnreadableEventHidesNoOther) {
    for (const std::string& bad : {record(9), std::string("x"), std::string()}) {
        const OutboxEvents events = decode({group(3, head(1, 4) + head(1, 5) + head(1, 6)), record(), bad, record()});
        EXPECT_EQ(sequences(events), (std::vector<std::uint32_t>{4, 6}));
        EXPECT_EQ(events.unreadable, 1U);
        EXPECT_EQ(events.elements, 4U);
    }
    std::string heads;
    for (int i = 0; i < 129; ++i) heads += head(1, 5);
    const std::string long_group = group(129, heads);
    for (const std::string& bad : {single(0, 5), single(8, 5), single(1, 5, "x"), std::string(), std::string("\2"),
                                   std::string("\3"), record(), group(0, ""), group(3, head(1, 5)), long_group}) {
        const OutboxEvents events = decode({bad, single(1, 6)}, 100, false);
        EXPECT_EQ(sequences(events), (std::vector<std::uint32_t>{6})) << bad;
        EXPECT_EQ(events.unreadable, 1U) << bad;
        EXPECT_EQ(events.elements, 2U) << bad;
    }
}

}  // namespace
}  // namespace lanyard::registry
