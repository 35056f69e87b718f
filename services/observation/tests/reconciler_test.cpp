#include "reconciler.hpp"

#include <gtest/gtest.h>

#include "fakes.hpp"
#include "identity/observation_token.hpp"
#include "lanyard/events/v1/uplink.pb.h"
#include "wait_for.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

class Reconciling : public ::testing::Test {
  protected:
    Reconciling() {
        set_templates({{"default", "temp", "", 3303, {"/3303/*/5700"}, {}, {}}});
        config.attempts = 3;
        config.concurrency = 2;
        make();
    }
    void make() {
        reconciler = std::make_unique<Reconciler>(
            Reconciler::Deps{scheduler, downlink, *store, specs, metrics, config, key, [this] { return templates; },
                             [this](InitialValue value) { return publish(std::move(value)); }});
    }
    void set_templates(std::vector<Template> entries) { templates = compile({1, std::move(entries)}); }
    bool publish(InitialValue value) {
        published.push_back(value.record);
        if (const auto hook = std::exchange(while_publishing, {})) hook();
        value.done(!fail_publish);
        return true;
    }
    void submit(DeviceInfo device, ReconcileRequest::Kind kind = ReconcileRequest::Kind::present,
                std::vector<SpecId> retry = {}) {
        reconciler->submit({kind, std::move(device), std::move(retry), [this] { ++done; }});
        scheduler.run();
    }
    ObservationState state_of(const std::string& path) {
        const auto record = *wait_for<DeviceRecord>([&](auto cb) { store->load_device(DeviceNumber{65}, cb); });
        const auto spec = specs.find(std::vector<std::string>{path});
        for (const auto& state : record.states) {
            if (spec && state.spec == *spec) return state;
        }
        return {};
    }

    FakeScheduler scheduler;
    FakeDownlink downlink;
    std::shared_ptr<ObservationStore> store = make_memory_store();
    SpecTable specs;
    telemetry::MetricRegistry registry;
    Metrics metrics{registry};
    ReconcileConfig config;
    SipKey key{};
    std::shared_ptr<const CompiledTemplates> templates;
    std::vector<std::shared_ptr<const events::v1::UplinkRecord>> published;
    bool fail_publish = false;
    std::function<void()> while_publishing;
    int done = 0;
    std::unique_ptr<Reconciler> reconciler;
};

TEST_F(Reconciling, ObservesWithTheStructuredTokenAndPublishesTheFirstValue) {
    submit(fake_device(3));
    const auto commands = downlink.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].path, "/3303/0/5700");
    EXPECT_EQ(commands[0].observe, 0U);
    EXPECT_EQ(commands[0].generation, 3U);
    EXPECT_EQ(commands[0].owner->node, 1U);
    const auto token = identity::parse_observation_token(commands[0].token);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->device.value, 65U);
    EXPECT_TRUE(identity::verify_observation_token(key, *token, 3));
    ASSERT_EQ(published.size(), 1U);
    EXPECT_EQ(published[0]->payload(), "20.5");
    EXPECT_EQ(published[0]->observation_spec(), token->spec);
    EXPECT_EQ(published[0]->event_id().size(), 32U);
    EXPECT_EQ(state_of("/3303/0/5700").state, State::active);
    EXPECT_EQ(done, 1);
}

TEST_F(Reconciling, TheSameRegistrationAgainAsksNothing) {
    submit(fake_device(3));
    downlink.take();
    submit(fake_device(3));
    EXPECT_TRUE(downlink.take().empty());
    EXPECT_EQ(done, 2);
    submit(fake_device(4));
    EXPECT_EQ(downlink.take().size(), 1U) << "a new registration voids observations";
}

TEST_F(Reconciling, WritesAttributesFirst) {
    set_templates({{"default", "temp", "", 0, {"/3303/0/5700"}, {{"pmin", "5"}, {"gt", ""}}, 110}});
    submit(fake_device());
    const auto commands = downlink.take();
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(commands[0].method, Method::put);
    EXPECT_EQ(commands[0].queries, (std::vector<std::string>{"gt", "pmin=5"}));
    EXPECT_TRUE(commands[0].token.empty());
    EXPECT_EQ(commands[1].accept, 110);
}

TEST_F(Reconciling, RefusedAttributesDoNotPreventTheObservation) {
    set_templates({{"default", "temp", "", 0, {"/3303/0/5700"}, {{"pmin", "5"}}, {}}});
    downlink.answer([](const DownlinkCommand& c) {
        return c.method == Method::put ? FakeDownlink::answered(0x85) : FakeDownlink::answered(0x45, 1, "1");
    });
    submit(fake_device());
    EXPECT_EQ(state_of("/3303/0/5700").state, State::active);
    EXPECT_EQ(state_of("/3303/0/5700").reason, "attributes refused: 4.05 Method Not Allowed");
}

TEST_F(Reconciling, ARefusalIsFinalUntilTheNextRegister) {
    downlink.answer([](const DownlinkCommand&) { return FakeDownlink::answered(0x84); });
    submit(fake_device());
    EXPECT_EQ(state_of("/3303/0/5700").state, State::failed);
    EXPECT_EQ(state_of("/3303/0/5700").reason, "4.04 Not Found");
    EXPECT_EQ(done, 1);
    downlink.take();
    submit(fake_device());
    EXPECT_TRUE(downlink.take().empty());
    submit(fake_device(), ReconcileRequest::Kind::present, {state_of("/3303/0/5700").spec});
    EXPECT_EQ(downlink.take().size(), 1U) << "asked for by name";
}

TEST_F(Reconciling, AnAnswerWithoutObserveIsAValueButNoObservation) {
    downlink.answer([](const DownlinkCommand&) { return FakeDownlink::answered(0x45, {}, "7"); });
    submit(fake_device());
    EXPECT_EQ(published.size(), 1U);
    EXPECT_EQ(state_of("/3303/0/5700").state, State::failed);
}

TEST_F(Reconciling, ASilentDeviceIsTriedAgainWithinItsBudget) {
    downlink.answer([](const DownlinkCommand&) { return FakeDownlink::missed(Outcome::unreachable); });
    submit(fake_device());
    EXPECT_EQ(downlink.take().size(), 1U);
    EXPECT_EQ(done, 0) << "the event is not done yet";
    scheduler.run(1s * 100);
    EXPECT_EQ(downlink.take().size(), 2U);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(state_of("/3303/0/5700").state, State::pending);
    EXPECT_EQ(reconciler->open(), 0U);
}

TEST_F(Reconciling, SilentDevicesDoNotHoldUpOthers) {
    downlink.answer([](const DownlinkCommand& c) {
        return c.device.value == 65 ? FakeDownlink::answered(0x45, 1, "1") : FakeDownlink::missed(Outcome::unreachable);
    });
    for (std::uint32_t n = 1; n <= 5; ++n) {
        DeviceInfo silent = fake_device();
        silent.number = DeviceNumber{100 + n};
        submit(silent);
    }
    submit(fake_device());
    EXPECT_EQ(done, 1);
    EXPECT_EQ(state_of("/3303/0/5700").state, State::active);
}

TEST_F(Reconciling, ANewRegistrationEndsTheWaitForTheOldOne) {
    downlink.answer([](const DownlinkCommand&) { return FakeDownlink::missed(Outcome::unreachable); });
    submit(fake_device(1));
    downlink.answer([](const DownlinkCommand&) { return FakeDownlink::answered(0x45, 1, "1"); });
    submit(fake_device(2));
    EXPECT_EQ(done, 2);
    EXPECT_EQ(state_of("/3303/0/5700").generation, 2U);
    scheduler.run(1s * 1000);
    EXPECT_EQ(done, 2);
}

TEST_F(Reconciling, AnUndeliveredFirstValueIsPublishedAgainWithTheSameId) {
    fail_publish = true;
    submit(fake_device());
    EXPECT_EQ(done, 0);
    fail_publish = false;
    scheduler.run(1s);
    ASSERT_EQ(published.size(), 2U);
    EXPECT_EQ(published[0]->event_id(), published[1]->event_id());
    EXPECT_EQ(done, 1);
}

TEST_F(Reconciling, AnEndThatIsStoredBeforeTheAnswerStays) {
    while_publishing = [&] {
        const SpecId spec = *specs.find(std::vector<std::string>{"/3303/0/5700"});
        const ObservationState ended{spec, State::failed, "4.04 Not Found", 1, 1764000000001};
        EXPECT_TRUE(
            wait_for<void>([&](auto cb) { store->save_states(DeviceNumber{65}, std::span(&ended, 1), {}, cb); }));
    };
    submit(fake_device());
    EXPECT_EQ(state_of("/3303/0/5700").state, State::failed);
    EXPECT_EQ(state_of("/3303/0/5700").reason, "4.04 Not Found");
}

TEST_F(Reconciling, NewOrdersDoNotRepeatWhatTheDeviceHasAnswered) {
    while_publishing = [&] {
        set_templates({{"default", "battery", "", 3, {"/3/0/9"}, {}, {}},
                       {"default", "temp", "", 3303, {"/3303/*/5700"}, {}, {}}});
        reconciler->submit({ReconcileRequest::Kind::present, fake_device(), {}, [this] { ++done; }});
    };
    submit(fake_device());
    const auto commands = downlink.take();
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(commands[0].path, "/3303/0/5700");
    EXPECT_EQ(commands[1].path, "/3/0/9");
    EXPECT_EQ(state_of("/3303/0/5700").state, State::active);
    EXPECT_EQ(done, 2);
}

TEST_F(Reconciling, TheFirstValueSaysWhereTheDeviceKeepsItsObjects) {
    DeviceInfo device = fake_device();
    device.object_links = "</lwm2m>;rt=\"oma.lwm2m\",</lwm2m/3303/0>";
    submit(device);
    ASSERT_EQ(published.size(), 1U);
    EXPECT_EQ(published[0]->root_path(), "/lwm2m");
}

TEST_F(Reconciling, NotAcceptableIsAskedAgainWithoutAccept) {
    DeviceInfo device = fake_device();
    device.object_links = "</>;rt=\"oma.lwm2m\";ct=\"112\",</3303/0>";
    downlink.answer([](const DownlinkCommand& c) {
        return c.accept ? FakeDownlink::answered(0x86) : FakeDownlink::answered(0x45, 1, "1");
    });
    submit(device);
    EXPECT_EQ(downlink.take().size(), 2U);
    EXPECT_EQ(state_of("/3303/0/5700").state, State::active);
}

TEST_F(Reconciling, WhatNobodyWantsAnyMoreIsCancelledWithItsToken) {
    submit(fake_device());
    const auto before = downlink.take();
    set_templates({});
    submit(fake_device());
    const auto commands = downlink.take();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].observe, 1U);
    EXPECT_EQ(commands[0].token, before.at(0).token);
    EXPECT_EQ(commands[0].path, "/3303/0/5700");
    EXPECT_EQ(state_of("/3303/0/5700").spec, 0) << "no state is left";
}

TEST_F(Reconciling, AnExpiredRegistrationNeedsNoWork) {
    submit(fake_device());
    const auto before = state_of("/3303/0/5700");
    submit(fake_device(), ReconcileRequest::Kind::offline);
    EXPECT_EQ(state_of("/3303/0/5700"), before);
    EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace lanyard::observation
