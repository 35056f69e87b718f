#include "known_devices.hpp"

#include <gtest/gtest.h>

namespace lanyard::registry {
namespace {

using namespace std::chrono_literals;
constexpr SteadyTime kNow{1000s};

RegistrationInfo announcing(std::string version, std::string links) {
    RegistrationInfo registration;
    registration.lwm2m_version = std::move(version);
    registration.object_links = std::move(links);
    return registration;
}

DeviceRecord device(std::uint32_t number, std::uint32_t generation = 1) {
    DeviceRecord record;
    record.number = {number};
    record.tenant = "default";
    record.endpoint = "urn:" + std::to_string(number);
    record.registered = true;
    record.generation = generation;
    record.epoch = generation;
    record.node = 7;
    record.shard = 3;
    record.registration = announcing("1.1", "</3/0>,</3303/0>");
    return record;
}

identity::DeviceName name_of(const DeviceRecord& record) {
    return {record.tenant, record.endpoint};
}

TEST(DialectTable, ReadsAListOnceForEachVersion) {
    DialectTable table;
    const auto first = table.number_of(announcing("1.1", "</3>;ver=1.2,</3303/0>"));
    ASSERT_NE(table.find(first), nullptr);
    ASSERT_EQ(table.find(first)->objects.objects.size(), 2U);
    EXPECT_EQ(table.find(first)->objects.objects[0].version, (lwm2m::Version{1, 2}));
    EXPECT_EQ(table.number_of(announcing("1.1", "</3>;ver=1.2,</3303/0>")), first);
    const auto older = table.number_of(announcing("1.0", "</3>;ver=1.2,</3303/0>"));
    EXPECT_NE(older, first);
    EXPECT_EQ(table.find(older)->version, (lwm2m::Version{1, 0}));
}

TEST(DialectTable, BeginsAnewWithNewNumbersWhenItIsFull) {
    DialectTable table;
    const auto first = table.number_of(announcing("1.1", "</3/0>"));
    for (std::size_t i = 0; i < DialectTable::kLists; ++i) {
        const auto other = table.number_of(announcing("1.1", "</3/" + std::to_string(i + 1) + ">"));
        EXPECT_EQ(table.find(other)->objects.objects.size(), 1U);
    }
    EXPECT_EQ(table.find(first), nullptr);
    EXPECT_GT(table.number_of(announcing("1.1", "</3/0>")), first);
    EXPECT_EQ(table.find(0), nullptr);
}

TEST(DialectTable, AVeryLongListIsNotKept) {
    DialectTable table;
    EXPECT_EQ(table.number_of(announcing("1.1", std::string(DialectTable::kListBytes + 1, '<'))), 0U);
}

TEST(KnownDevices, GivesWhatItWasTold) {
    KnownDevices known(1024, 10min);
    EXPECT_FALSE(known.find(name_of(device(1)), kNow));
    const KnownDevice told = known.put(device(1), kNow);
    const auto found = known.find(name_of(device(1)), kNow + 10min);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->number.value, 1U);
    EXPECT_EQ(found->generation, 1U);
    EXPECT_EQ(found->node, 7U);
    EXPECT_EQ(found->shard, 3U);
    EXPECT_EQ(found->dialect, told.dialect);
    EXPECT_FALSE(known.find(name_of(device(2)), kNow));
    EXPECT_FALSE(known.find({"other", "urn:1"}, kNow));
}

TEST(KnownDevices, TheNewestCounts) {
    KnownDevices known(1024, 10min);
    known.put(device(1, 1), kNow);
    known.put(device(1, 2), kNow);
    EXPECT_EQ(known.find(name_of(device(1)), kNow)->generation, 2U);
    EXPECT_EQ(known.size(), 1U);
    DeviceRecord ended = device(1, 2);
    ended.registered = false;
    EXPECT_NE(known.put(ended, kNow).dialect, nullptr);
    EXPECT_FALSE(known.find(name_of(device(1)), kNow));
    EXPECT_EQ(known.size(), 0U);
}

TEST(KnownDevices, ForgetsWhatIsOldAndWhatItIsTold) {
    KnownDevices known(1024, 10min);
    known.put(device(1), kNow);
    EXPECT_FALSE(known.find(name_of(device(1)), kNow + 10min + 1s));
    known.forget(name_of(device(1)));
    EXPECT_EQ(known.size(), 0U);
    known.forget(name_of(device(1)));
    EXPECT_EQ(known.size(), 0U);
}

TEST(KnownDevices, WhenThereAreTooManyTheOldestGo) {
    KnownDevices known(1000, 10min);
    for (std::uint32_t i = 1; i <= 1000; ++i) known.put(device(i), kNow);
    EXPECT_EQ(known.size(), 1000U);
    known.put(device(1), kNow);  // heard of again
    for (std::uint32_t i = 1001; i <= 1499; ++i) known.put(device(i), kNow);
    EXPECT_EQ(known.size(), 1000U);
    EXPECT_TRUE(known.find(name_of(device(1)), kNow));
    EXPECT_FALSE(known.find(name_of(device(2)), kNow));
    for (std::uint32_t i = 501; i <= 1499; ++i) {
        const auto found = known.find(name_of(device(i)), kNow);
        ASSERT_TRUE(found) << i;
        EXPECT_EQ(found->number.value, i);
    }
    known.forget(name_of(device(600)));
    EXPECT_EQ(known.size(), 999U);
}

TEST(KnownDevices, WithoutRoomOrWithAVeryLongListNothingIsKept) {
    KnownDevices off(0, 10min);
    EXPECT_NE(off.put(device(1), kNow).dialect, nullptr);
    EXPECT_FALSE(off.find(name_of(device(1)), kNow));
    KnownDevices known(1024, 10min);
    known.put(device(1), kNow);
    DeviceRecord chatty = device(1, 2);
    chatty.registration.object_links = "</3/0>" + std::string(DialectTable::kListBytes, ' ');
    EXPECT_NE(known.put(chatty, kNow).dialect, nullptr);
    EXPECT_FALSE(known.find(name_of(device(1)), kNow));
}

}  // namespace
}  // namespace lanyard::registry
