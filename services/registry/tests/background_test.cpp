// Outbox, leases and expiry on the memory store, in virtual time.
#include <map>

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include "event_value.hpp"
#include "expiry_loop.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"
#include "node_names.hpp"
#include "outbox_pump.hpp"
#include "partition_leases.hpp"
#include "registry/memory_device_store.hpp"
#include "store_fixture.hpp"

namespace lanyard::registry {
namespace {

using namespace std::chrono_literals;

constexpr UnixMillis kNow = 1764000000000;

// Keeps what is published; answers when told to.
class FakePublisher final : public EventPublisher {
  public:
    void publish(std::vector<OutboxEntry> entries, Done<void> done) override {
        for (const OutboxEntry& entry : entries) ids.push_back(event_id_of(entry));
        largest = std::max(largest, entries.size());
        pending.push_back(std::move(done));
        if (automatic) answer({});
    }
    void answer(Result<void> result) {
        auto open = std::move(pending);
        pending.clear();
        for (auto& done : open) done(result);
    }

    std::vector<std::string> ids;
    std::vector<Done<void>> pending;
    std::size_t largest = 0;
    bool automatic = true;
};

class Background : public ::testing::Test {
  protected:
    Background() : devices_(make_memory_devices()), store_(devices_, loop_.executor()) {}

    DeviceRecord register_device(const std::string& endpoint, std::uint32_t lifetime_s = 60) {
        RegisterCommand command;
        command.name = {"default", endpoint};
        command.lifetime_s = lifetime_s;
        command.auto_create = true;
        command.now_ms = kNow;
        const auto known =
            *wait<Registered>(loop_, [&](auto done) { store_.register_device(command, std::move(done)); });
        return *wait<DeviceRecord>(loop_, [&](auto done) { store_.get(known.device, std::move(done)); });
    }
    void hold_lease(std::uint32_t partition, const std::string& owner) {
        (void)wait<std::string>(loop_, [&](auto done) { store_.take_lease(partition, owner, "", std::move(done)); });
    }
    std::unique_ptr<OutboxPump> make_pump(FakePublisher& publisher, OutboxConfig config = {}) {
        return std::make_unique<OutboxPump>(store_, publisher, config, "me", [this] { return now_; });
    }

    TestLoop loop_;
    std::shared_ptr<MemoryDevices> devices_;
    MemoryDeviceStore store_;
    SteadyTime now_ = SteadyTime(1h);
};

TEST_F(Background, OutboxIsPublishedInOrderAndTrimmed) {
    const DeviceRecord device = register_device("a");
    register_device("a");
    const std::uint32_t partition = device.number.partition();
    hold_lease(partition, "me");
    FakePublisher publisher;
    auto pump = make_pump(publisher);
    pump->hold(partition, true);
    loop_.run_ready();
    const std::string number = std::to_string(device.number.value);
    EXPECT_EQ(publisher.ids, (std::vector<std::string>{number + "-1", number + "-2"}));
    EXPECT_EQ(publisher.largest, 1U);
    EXPECT_EQ(pump->depth(), 0U);
    EXPECT_TRUE(pump->idle());
}

// What it had read may be published and trimmed by the other replica meanwhile.
TEST_F(Background, AReplicaThatLostItsPartitionAndHasItAgainTrimsNothingOfBefore) {
    const std::uint32_t partition = register_device("a").number.partition();
    hold_lease(partition, "me");
    FakePublisher publisher;
    publisher.automatic = false;
    auto pump = make_pump(publisher);
    pump->hold(partition, true);
    loop_.run_ready();
    ASSERT_EQ(publisher.ids.size(), 1U);
    pump->hold(partition, false);
    (void)wait<void>(loop_, [&](auto done) { store_.outbox_trim(partition, "me", 1, std::move(done)); });
    register_device("a");
    pump->hold(partition, true);
    publisher.answer({});
    loop_.run_ready();
    publisher.automatic = true;
    pump->poll();
    loop_.run_ready();
    ASSERT_EQ(publisher.ids.size(), 2U);
    EXPECT_NE(publisher.ids[0], publisher.ids[1]);
    EXPECT_EQ(pump->depth(), 0U);
}

TEST_F(Background, OutboxOfAPartitionThatIsNotHeldIsLeftAlone) {
    register_device("a");
    FakePublisher publisher;
    auto pump = make_pump(publisher);
    pump->poll();
    loop_.run_ready();
    EXPECT_TRUE(publisher.ids.empty());
}

TEST_F(Background, ADeathBetweenPublishAndTrimRepeatsWithTheSameIds) {
    const std::uint32_t partition = register_device("a").number.partition();
    hold_lease(partition, "me");
    FakePublisher first;
    first.automatic = false;
    auto pump = make_pump(first);
    pump->hold(partition, true);
    loop_.run_ready();
    ASSERT_EQ(first.ids.size(), 1U);
    pump.reset();
    first.answer({});
    loop_.run_ready();

    FakePublisher second;
    auto next = make_pump(second);
    next->hold(partition, true);
    loop_.run_ready();
    EXPECT_EQ(second.ids, first.ids);
    FakePublisher third;
    auto last = make_pump(third);
    last->hold(partition, true);
    loop_.run_ready();
    EXPECT_TRUE(third.ids.empty());
}

TEST_F(Background, AFailedBatchIsRepeatedAfterAPause) {
    const std::uint32_t partition = register_device("a").number.partition();
    hold_lease(partition, "me");
    FakePublisher publisher;
    publisher.automatic = false;
    auto pump = make_pump(publisher);
    pump->hold(partition, true);
    loop_.run_ready();
    publisher.answer(make_error(Errc::unavailable, "no broker"));
    pump->poll();
    loop_.run_ready();
    EXPECT_EQ(publisher.ids.size(), 1U);
    now_ += 1s;
    pump->poll();
    loop_.run_ready();
    ASSERT_EQ(publisher.ids.size(), 2U);
    EXPECT_EQ(publisher.ids[0], publisher.ids[1]);
    EXPECT_EQ(pump->failures(), 1U);
}

TEST_F(Background, EventsInFlightAreBounded) {
    for (int i = 0; i < 200; ++i) register_device("d" + std::to_string(i));
    OutboxConfig config;
    config.batch_max = 2;
    config.in_flight_max = 4;
    FakePublisher publisher;
    publisher.automatic = false;
    auto pump = make_pump(publisher, config);
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        hold_lease(partition, "me");
        pump->hold(partition, true);
    }
    loop_.run_ready();
    EXPECT_LE(publisher.ids.size(), 4U);
    publisher.automatic = true;
    for (int i = 0; i < 500; ++i) {
        publisher.answer({});
        pump->poll();
        loop_.run_ready();
    }
    EXPECT_EQ(publisher.ids.size(), 200U);
    EXPECT_EQ(pump->depth(), 0U);
}

// One replica with its leases.
struct Replica {
    Replica(TestLoop& loop, const std::shared_ptr<MemoryDevices>& devices, std::string name, LeaseConfig config)
        : store(devices, loop.executor()),
          leases(store, std::move(name), config,
                 {.changed = [this](std::uint32_t partition, bool now_held) { held[partition] = now_held; },
                  .may_release = [this](std::uint32_t) { return may_release; }},
                 [] {
                     return Now{std::chrono::steady_clock::now(), kNow};
                 }) {}

    MemoryDeviceStore store;
    std::map<std::uint32_t, bool> held;
    bool may_release = true;
    PartitionLeases leases;
};

TEST_F(Background, ReplicasShareThePartitionsFairly) {
    LeaseConfig config;
    config.ttl = 1h;
    Replica one(loop_, devices_, "one", config);
    one.leases.round();
    loop_.run_ready();
    EXPECT_EQ(one.leases.held(), 64U);
    Replica two(loop_, devices_, "two", config);
    for (int i = 0; i < 3; ++i) {
        two.leases.round();
        loop_.run_ready();
        one.leases.round();
        loop_.run_ready();
    }
    EXPECT_EQ(one.leases.held(), 32U);
    EXPECT_EQ(two.leases.held(), 32U);
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        EXPECT_NE(one.leases.holds(partition), two.leases.holds(partition)) << partition;
    }
}

TEST_F(Background, ALeaseIsKeptWhileItsEventsAreInFlight) {
    LeaseConfig config;
    config.ttl = 1h;
    Replica one(loop_, devices_, "one", config);
    one.leases.round();
    loop_.run_ready();
    one.may_release = false;
    one.leases.retire();
    loop_.run_ready();
    EXPECT_EQ(one.leases.held(), 0U);
    EXPECT_FALSE(one.leases.gone());
    one.may_release = true;
    one.leases.round();
    loop_.run_ready();
    EXPECT_TRUE(one.leases.gone());
}

TEST_F(Background, ARetiredReplicaLeavesEverythingToTheOther) {
    LeaseConfig config;
    config.ttl = 1h;
    Replica one(loop_, devices_, "one", config);
    Replica two(loop_, devices_, "two", config);
    for (int i = 0; i < 3; ++i) {
        one.leases.round();
        two.leases.round();
        loop_.run_ready();
    }
    one.leases.retire();
    loop_.run_ready();
    two.leases.round();
    loop_.run_ready();
    EXPECT_EQ(two.leases.held(), 64U);
    EXPECT_TRUE(one.leases.gone());
}

TEST_F(Background, AKilledReplicaIsReplacedWhenItFallsSilent) {
    LeaseConfig config;
    config.ttl = 1h;
    {
        Replica killed(loop_, devices_, "killed", config);
        killed.leases.round();
        loop_.run_ready();
    }
    Replica other(loop_, devices_, "other", config);
    other.leases.round();
    loop_.run_ready();
    other.leases.round();
    loop_.run_ready();
    EXPECT_EQ(other.leases.held(), 0U) << "its heartbeat is still good";
    (void)wait<void>(loop_, [&](auto done) { other.store.retire("killed", std::move(done)); });
    other.leases.round();
    loop_.run_ready();
    other.leases.round();
    loop_.run_ready();
    EXPECT_EQ(other.leases.held(), 64U);
}

TEST_F(Background, AReplicaThatTheStoreForgotTakesItsLeasesAnew) {
    LeaseConfig config;
    config.ttl = 1h;
    Replica one(loop_, devices_, "one", config);
    one.leases.round();
    loop_.run_ready();
    (void)wait<void>(loop_, [&](auto done) { one.store.retire("one", std::move(done)); });
    (void)wait<void>(loop_, [&](auto done) { one.store.release_lease(3, "one", std::move(done)); });
    hold_lease(3, "two");
    one.leases.round();
    loop_.run_ready();
    EXPECT_FALSE(one.leases.holds(3));
    EXPECT_EQ(one.leases.held(), 63U);
}

TEST_F(Background, ALeaseThatTheStoreDeniesIsLost) {
    const std::uint32_t partition = register_device("a").number.partition();
    hold_lease(partition, "somebody");
    FakePublisher publisher;
    std::vector<std::uint32_t> fenced;
    OutboxPump pump(
        store_, publisher, {}, "me", [this] { return now_; }, [&](std::uint32_t number) { fenced.push_back(number); });
    pump.hold(partition, true);
    loop_.run_ready();
    EXPECT_EQ(fenced, (std::vector<std::uint32_t>{partition}));
}

TEST_F(Background, AReplicaIsToldOfEventsThatAnotherOneWrote) {
    FakePublisher mine;
    FakePublisher theirs;
    auto holder = make_pump(mine);
    auto writer = make_pump(theirs);
    const std::uint32_t partition = identity::partition_of("default/a");
    hold_lease(partition, "me");
    holder->hold(partition, true);
    loop_.run_ready();
    register_device("a");
    writer->poke(partition);
    loop_.run_ready();
    holder->poll();
    loop_.run_ready();
    EXPECT_EQ(mine.ids.size(), 1U);
    EXPECT_TRUE(theirs.ids.empty());
    EXPECT_TRUE(wait<std::vector<std::uint32_t>>(loop_, [&](auto done) { store_.changed(std::move(done)); })->empty());
}

TEST_F(Background, ChangesThatFollowSoonAreReadTogether) {
    FakePublisher publisher;
    auto pump = make_pump(publisher);
    const std::uint32_t partition = identity::partition_of("default/a");
    hold_lease(partition, "me");
    pump->hold(partition, true);
    loop_.run_ready();
    now_ += 1s;
    register_device("a");
    pump->poke(partition);
    loop_.run_ready();
    EXPECT_EQ(publisher.ids.size(), 1U) << "a lonely one at once";
    for (int i = 0; i < 3; ++i) {
        register_device("a");
        pump->poke(partition);
        loop_.run_ready();
    }
    EXPECT_EQ(publisher.ids.size(), 1U);
    now_ += 20ms;
    pump->tick();
    loop_.run_ready();
    EXPECT_EQ(publisher.ids.size(), 4U);
}

TEST_F(Background, AnEventWithoutAHintIsFoundInTurn) {
    FakePublisher publisher;
    auto pump = make_pump(publisher);
    const std::uint32_t partition = identity::partition_of("default/a");
    hold_lease(partition, "me");
    pump->hold(partition, true);
    loop_.run_ready();
    register_device("a");
    for (std::uint32_t i = 0; i < identity::kPartitions; ++i) {
        pump->poll();
        loop_.run_ready();
    }
    EXPECT_EQ(publisher.ids.size(), 1U);
}

TEST_F(Background, NamesOfNodesAreAskedForOnce) {
    const auto node = *wait<std::uint32_t>(loop_, [&](auto done) {
        store_.register_node({0, "ingress-0", "127.0.0.1:7401"}, std::move(done));
    });
    NodeNames names(store_);
    int answers = 0;
    const auto prepare = [&](std::vector<std::uint32_t> nodes) {
        names.prepare(nodes, [&](Result<void> result) { answers += result ? 1 : 0; });
    };
    prepare({node, 0, node, 77});
    EXPECT_EQ(answers, 0);
    EXPECT_EQ(loop_.run_ready(), 2U);
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(names.name(node), "ingress-0");
    EXPECT_EQ(names.name(77), "");
    EXPECT_EQ(names.name(0), "");
    prepare({node, 77});
    EXPECT_EQ(answers, 2);
    EXPECT_EQ(loop_.run_ready(), 0U);
}

TEST_F(Background, ExpiryEndsEveryDueRegistrationOfHeldPartitions) {
    for (int i = 0; i < 500; ++i) register_device("d" + std::to_string(i));
    register_device("eternal", 0);
    UnixMillis wall = kNow;
    std::size_t ended = 0;
    ExpiryLoop expiry(store_, 3,
                      {.holds = [](std::uint32_t partition) { return partition < 32; },
                       .expired = [&](std::uint32_t, std::size_t count) { ended += count; },
                       .now_ms = [&] { return wall; }});
    expiry.round();
    loop_.run_ready();
    EXPECT_EQ(ended, 0U);
    wall += 200000;
    expiry.round();
    loop_.run_ready();
    EXPECT_TRUE(expiry.idle());
    EXPECT_GT(ended, 100U);
    std::size_t still = 0;
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        const auto counts = wait<Counts>(loop_, [&](auto done) { store_.counts(partition, std::move(done)); });
        still += static_cast<std::size_t>(counts->registered);
    }
    EXPECT_EQ(still + ended, 501U);
}

OutboxEntry sample_entry() {
    OutboxEntry entry;
    entry.event = LifecycleEvent::registered;
    entry.time_ms = kNow;
    entry.device.number = {64 * 3 + 5};
    entry.device.tenant = "default";
    entry.device.endpoint = "urn:\xff\"a";
    entry.device.registered = true;
    entry.device.generation = 2;
    entry.device.epoch = 3;
    entry.device.counter = 9;
    entry.device.lifetime_s = 300;
    entry.device.create_ms = kNow - 5;
    entry.device.profile = {"Pump", {{"site", "plant-1"}}};
    entry.device.registration.object_links = "</3303/0>;ver=\"1.1\"";
    return entry;
}

TEST(EventValue, JsonHasTheProtoNamesAndPlainNumbers) {
    const std::string value = event_values(sample_entry(), SipKey{}, "ingress-0", ValueFormat::json).lifecycle;
    EXPECT_NE(value.find("\"event\":\"registered\""), std::string::npos) << value;
    EXPECT_NE(value.find("\"time_ms\":1764000000000"), std::string::npos);
    EXPECT_NE(value.find("\"event_id\":\"197-9\""), std::string::npos);
    EXPECT_NE(value.find("\"labels\":{\"site\":\"plant-1\"}"), std::string::npos);
    EXPECT_NE(value.find("\"ingress_instance\":\"ingress-0\""), std::string::npos);
    EXPECT_EQ(value.find("sms_number"), std::string::npos);
}

TEST(EventValue, DeviceStateComesBackFromBothForms) {
    OutboxEntry entry = sample_entry();
    entry.device.endpoint = "urn:a";
    for (const auto format : {ValueFormat::json, ValueFormat::protobuf}) {
        const auto values = event_values(entry, SipKey{}, "ingress-0", format);
        const auto back =
            decode_device_state(values.device_state, format == ValueFormat::json ? kJsonType : kProtobufType);
        ASSERT_TRUE(back);
        EXPECT_EQ(back->endpoint(), "urn:a");
        EXPECT_EQ(back->state(), "registered");
        EXPECT_EQ(back->labels().at("site"), "plant-1");
        EXPECT_EQ(back->registration().lifetime_s(), 300);
        EXPECT_EQ(back->registration().registration_id().size(), 24U);
        EXPECT_TRUE(back->enabled());
    }
    EXPECT_FALSE(decode_device_state("[1]", kJsonType));
    EXPECT_FALSE(decode_device_state("{", kJsonType));
}

template <class Message>
void expect_same_content(const std::string& json, const std::string& bytes) {
    Message from_json;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &from_json).ok()) << json;
    Message from_bytes;
    ASSERT_TRUE(from_bytes.ParseFromString(bytes));
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(from_json, from_bytes)) << json;
}

TEST(EventValue, JsonSaysWhatProtobufSays) {
    OutboxEntry entry = sample_entry();
    entry.device.endpoint = "urn:\xc3\xa4\t\"\\a";
    entry.device.node = 4;
    entry.device.shard = 1;
    entry.device.profile.labels["a\"b"] = "c\nd";
    entry.device.registration.binding = "U";
    entry.device.registration.remote_address = "[::1]:5683";
    entry.device.registration.register_ms = kNow - 7;
    for (const bool registered : {true, false}) {
        entry.device.registered = registered;
        const auto json = event_values(entry, SipKey{}, "ingress-0", ValueFormat::json);
        const auto bytes = event_values(entry, SipKey{}, "ingress-0", ValueFormat::protobuf);
        expect_same_content<events::v1::LifecycleRecord>(json.lifecycle, bytes.lifecycle);
        expect_same_content<events::v1::DeviceStateRecord>(json.device_state, bytes.device_state);
    }
}

}  // namespace
}  // namespace lanyard::registry
