#include "control.hpp"

#include <gtest/gtest.h>

#include "fakes.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "wait_for.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

const std::string kPath = "/3303/0/5700";

// A store whose states cannot be saved for a while.
class Flaky final : public ObservationStore {
  public:
    void intern_spec(const std::vector<std::string>& paths, Done<SpecId> done) override {
        inner->intern_spec(paths, std::move(done));
    }
    void load_specs(Done<std::vector<Spec>> done) override { inner->load_specs(std::move(done)); }
    void put_template(const Template& entry, bool replace, Done<void> done) override {
        inner->put_template(entry, replace, std::move(done));
    }
    void delete_template(std::string_view tenant, std::string_view id, Done<void> done) override {
        inner->delete_template(tenant, id, std::move(done));
    }
    void load_templates(Done<TemplateSet> done) override {
        if (!down) return inner->load_templates(std::move(done));
        done(make_error(Errc::unavailable, "down"));
    }
    void template_version(Done<std::uint64_t> done) override { inner->template_version(std::move(done)); }
    void load_device(DeviceNumber device, Done<DeviceRecord> done) override {
        inner->load_device(device, std::move(done));
    }
    void add_own(DeviceNumber device, const OwnObservation& own, Done<void> done) override {
        inner->add_own(device, own, std::move(done));
    }
    void remove_own(DeviceNumber device, std::string_view id, Done<void> done) override {
        inner->remove_own(device, id, std::move(done));
    }
    void save_states(DeviceNumber device, std::span<const ObservationState> states, std::span<const SpecId> gone,
                     Done<void> done) override {
        if (!down) return inner->save_states(device, states, gone, std::move(done));
        done(make_error(Errc::unavailable, "down"));
    }
    void merge_latest(std::span<const LatestUpdate> updates, Done<void> done) override {
        inner->merge_latest(updates, std::move(done));
    }
    void load_latest(DeviceNumber device, Done<LatestRecord> done) override {
        inner->load_latest(device, std::move(done));
    }
    void forget_device(DeviceNumber device, Done<void> done) override { inner->forget_device(device, std::move(done)); }

    std::shared_ptr<ObservationStore> inner = make_memory_store();
    bool down = false;
};

class Controlling : public ::testing::Test {
  protected:
    Controlling() {
        directory.devices.push_back(fake_device());
        config.revive_delay = 30s;
        config.revive_attempts = 2;
        config.rollout_rate = 1000;
    }
    void start() {
        control =
            std::make_unique<Control>(Control::Deps{scheduler,
                                                    downlink,
                                                    directory,
                                                    store,
                                                    specs,
                                                    metrics,
                                                    log,
                                                    health.add({.name = "redis", .required = false, .tolerance = {}}),
                                                    config,
                                                    SipKey{},
                                                    {{"default", "temp", "", 3303, {"/3303/*/5700"}, {}, {}}},
                                                    [](InitialValue value) {
                                                        value.done(true);
                                                        return true;
                                                    },
                                                    [] {},
                                                    [this] { ++ready; }});
        control->start();
        scheduler.run();
    }
    void registered(std::uint32_t generation = 1) {
        LifecycleEvent event;
        event.event = "registered";
        event.device = fake_device(generation);
        directory.devices.at(0) = fake_device(generation);
        control->lifecycle(event, [this] { ++done; });
        scheduler.run();
    }
    void end(std::uint32_t generation = 1, UnixMillis received_ms = 1764000000000) {
        const auto spec = *specs.find(std::vector<std::string>{kPath});
        control->ended({DeviceNumber{65}, "default", "urn:imei:1", spec, generation, "4.04 Not Found", received_ms},
                       [this] { ++kept; });
        scheduler.run();
    }
    ObservationState state() {
        const auto record = *wait_for<DeviceRecord>([&](auto cb) { store.load_device(DeviceNumber{65}, cb); });
        return record.states.empty() ? ObservationState{} : record.states.front();
    }
    std::size_t observed() {
        std::size_t count = 0;
        for (const auto& command : downlink.take()) count += command.observe == 0U ? 1U : 0U;
        return count;
    }

    FakeScheduler scheduler;
    FakeDownlink downlink;
    FakeDirectory directory;
    Flaky store;
    SpecTable specs;
    telemetry::MetricRegistry registry;
    Metrics metrics{registry};
    telemetry::Logger log{"observation", {telemetry::Level::error}};
    runtime::HealthBoard health;
    ReconcileConfig config;
    int ready = 0;
    int done = 0;
    int kept = 0;
    std::unique_ptr<Control> control;
};

TEST_F(Controlling, IsReadyWhenTheStoreHasAnswered) {
    store.down = true;
    start();
    EXPECT_EQ(ready, 0);
    store.down = false;
    scheduler.run(2s);
    EXPECT_EQ(ready, 1);
    EXPECT_EQ(control->templates()->templates.size(), 1U);
}

TEST_F(Controlling, AnEndedObservationFailsAndIsSetUpAgainLater) {
    start();
    registered();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(observed(), 1U);
    end();
    EXPECT_EQ(kept, 1);
    EXPECT_EQ(state().state, State::failed) << "although told in the millisecond in which it was accepted";
    EXPECT_EQ(state().reason, "4.04 Not Found");
    scheduler.run(29s);
    EXPECT_EQ(observed(), 0U);
    downlink.answer([](const DownlinkCommand&) {
        auto answer = FakeDownlink::answered(0x45, 1, "20.5");
        answer.received_ms = 1763000000000;  // another ingress, whose clock is late
        return answer;
    });
    scheduler.run(2s);
    EXPECT_EQ(observed(), 1U);
    EXPECT_EQ(state().state, State::active);
}

TEST_F(Controlling, ADeviceThatEndsItAgainAndAgainIsLeftAlone) {
    start();
    registered();
    for (UnixMillis time = 1764000000000; time < 1764000000005; ++time) {
        end(1, time);
        scheduler.run(10min);
    }
    EXPECT_EQ(observed(), 3U) << "the first and two revivals";
    EXPECT_EQ(state().state, State::failed);
    registered(2);
    EXPECT_EQ(observed(), 1U);
    EXPECT_EQ(state().state, State::active);
    end(2);
    scheduler.run(31s);
    EXPECT_EQ(observed(), 1U) << "a new registration has a new budget";
}

TEST_F(Controlling, AnEndOfAFormerRegistrationChangesNothing) {
    start();
    registered(1);
    registered(2);
    downlink.take();
    end(1, 1764000009999);
    EXPECT_EQ(state().state, State::active);
    scheduler.run(10min);
    EXPECT_EQ(observed(), 0U);
}

TEST_F(Controlling, AnEndIsNotDoneBeforeTheStoreHasIt) {
    start();
    registered();
    store.down = true;
    end();
    scheduler.run(5s);
    EXPECT_EQ(kept, 0);
    store.down = false;
    scheduler.run(1s);
    EXPECT_EQ(kept, 1);
    EXPECT_EQ(state().state, State::failed);
}

TEST_F(Controlling, ANewTemplateIsRolledOutToRegisteredDevicesOfItsTenant) {
    start();
    registered();
    EXPECT_EQ(observed(), 1U);
    DeviceInfo foreign = fake_device();
    foreign.tenant = "another";
    foreign.number = DeviceNumber{129};
    DeviceInfo offline = fake_device();
    offline.registered = false;
    offline.number = DeviceNumber{193};
    directory.devices.insert(directory.devices.end(), {foreign, offline});
    const Template battery{"default", "battery", "", 3, {"/3/0/9"}, {}, {}};
    EXPECT_TRUE(wait_for<void>([&](auto cb) { store.put_template(battery, false, cb); }));
    control->templates_changed("default");
    scheduler.run();
    EXPECT_EQ(control->templates()->templates.size(), 2U);
    scheduler.run(2s);
    const auto commands = downlink.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].path, "/3/0/9");
    EXPECT_EQ(commands[0].device, DeviceNumber{65});
}

TEST_F(Controlling, ADeletedTemplateIsCancelledOnItsDevices) {
    start();
    registered();
    const auto token = downlink.take().at(0).token;
    EXPECT_TRUE(wait_for<void>([&](auto cb) { store.delete_template("default", "temp", cb); }));
    control->templates_changed("default");
    scheduler.run(2s);
    const auto commands = downlink.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].observe, 1U);
    EXPECT_EQ(commands[0].token, token);
}

TEST_F(Controlling, NothingHappensAfterStop) {
    start();
    registered();
    end();
    downlink.take();
    control->stop();
    scheduler.run(10min);
    EXPECT_EQ(observed(), 0U);
}

TEST_F(Controlling, ARolloutWaitsWhileTooManyDevicesAreOpen) {
    directory.devices.clear();
    for (std::uint32_t i = 0; i < 2000; ++i) {
        DeviceInfo device = fake_device();
        device.number = DeviceNumber{64 * (i + 1)};
        device.endpoint = "urn:imei:" + std::to_string(i);
        directory.devices.push_back(std::move(device));
    }
    config.rollout_open_max = 600;
    config.backoff_min = config.backoff_max = 60s;
    config.attempts = 3;
    downlink.answer([](const DownlinkCommand&) { return FakeDownlink::missed(Outcome::unreachable); });
    start();
    control->templates_changed("default");
    scheduler.run(30s);
    EXPECT_EQ(directory.listed, 1000U) << "two pages: above the limit after the second";
    scheduler.run(200s);
    EXPECT_EQ(directory.listed, 2000U) << "the first ones were given up, so there was room";
}

}  // namespace
}  // namespace lanyard::observation
