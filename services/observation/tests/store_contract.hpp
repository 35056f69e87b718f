#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "observation/store.hpp"
#include "wait_for.hpp"

namespace lanyard::observation {

// An implementation of ObservationStore; `make` gives an empty one.
struct StoreBackend {
    const char* name;
    std::function<std::shared_ptr<ObservationStore>()> make;
};
inline void PrintTo(const StoreBackend& backend, std::ostream* out) {
    *out << backend.name;
}

// The contract of ObservationStore; each implementation runs it.
class StoreContract : public ::testing::TestWithParam<StoreBackend> {
  protected:
    void SetUp() override { store = GetParam().make(); }

    Result<SpecId> intern(std::vector<std::string> paths) {
        return wait_for<SpecId>([&](auto done) { store->intern_spec(paths, done); });
    }
    Errc put(const Template& t, bool replace) {
        return code(wait_for<void>([&](auto done) { store->put_template(t, replace, done); }));
    }
    Errc add(DeviceNumber d, const OwnObservation& own) {
        return code(wait_for<void>([&](auto done) { store->add_own(d, own, done); }));
    }
    void save(DeviceNumber d, std::vector<ObservationState> states, std::vector<SpecId> gone = {}) {
        EXPECT_TRUE(wait_for<void>([&](auto done) { store->save_states(d, states, gone, done); }));
    }
    DeviceRecord device(DeviceNumber d) {
        return *wait_for<DeviceRecord>([&](auto done) { store->load_device(d, done); });
    }
    LatestRecord latest(DeviceNumber d) {
        return *wait_for<LatestRecord>([&](auto done) { store->load_latest(d, done); });
    }
    TemplateSet templates() {
        return *wait_for<TemplateSet>([&](auto done) { store->load_templates(done); });
    }
    void merge(std::vector<ObservationStore::LatestUpdate> updates) {
        EXPECT_TRUE(wait_for<void>([&](auto done) { store->merge_latest(updates, done); }));
    }
    // Errc::cancelled stands for success.
    static Errc code(const Result<void>& result) { return result ? Errc::cancelled : result.error().code; }
    static constexpr Errc kOk = Errc::cancelled;

    std::shared_ptr<ObservationStore> store;
    const DeviceNumber a{65};
    const DeviceNumber b{130};
};

TEST_P(StoreContract, SpecsGetOneNumberForEver) {
    const auto first = intern({"/3303/0/5700"});
    ASSERT_TRUE(first) << first.error().message;
    const SpecId second = *intern({"/3303/0/5700", "/3/0/9"});
    EXPECT_NE(*first, 0);
    EXPECT_NE(*first, second);
    EXPECT_EQ(*intern({"/3303/0/5700"}), *first);
    auto specs = *wait_for<std::vector<Spec>>([&](auto done) { store->load_specs(done); });
    std::sort(specs.begin(), specs.end(), [](const Spec& x, const Spec& y) { return x.id < y.id; });
    EXPECT_EQ(specs, (std::vector<Spec>{{*first, {"/3303/0/5700"}}, {second, {"/3303/0/5700", "/3/0/9"}}}));
}

TEST_P(StoreContract, TemplatesHaveAVersion) {
    const auto version = [&] { return *wait_for<std::uint64_t>([&](auto done) { store->template_version(done); }); };
    const Template t{"default", "temp", "labels.a = \"b\"", 3303, {"/3303/*/5700"}, {{"pmin", "5"}, {"gt", ""}}, 110};
    EXPECT_EQ(version(), 0U);
    EXPECT_EQ(put(t, false), kOk);
    EXPECT_EQ(put(t, false), Errc::already_exists);
    EXPECT_EQ(version(), 1U);
    EXPECT_EQ(put(t, true), kOk);
    EXPECT_EQ(version(), 1U) << "nothing changed";
    Template changed = t;
    changed.accept.reset();
    EXPECT_EQ(put(changed, true), kOk);
    Template other = t;
    other.tenant = "another";
    EXPECT_EQ(put(other, false), kOk);
    EXPECT_EQ(templates().version, 3U);
    EXPECT_EQ(templates().templates, (std::vector<Template>{other, changed}));
    const auto remove = [&](std::string_view tenant) {
        return code(wait_for<void>([&](auto done) { store->delete_template(tenant, "temp", done); }));
    };
    EXPECT_EQ(remove("default"), kOk);
    EXPECT_EQ(remove("default"), Errc::not_found);
    EXPECT_EQ(version(), 4U);
    EXPECT_EQ(templates().templates, (std::vector<Template>{other}));
}

TEST_P(StoreContract, OwnObservationsAreKeptPerDevice) {
    const OwnObservation own{"3.0.9", "/3/0/9", {{"pmin", "1"}}, 112, 4};
    EXPECT_EQ(add(a, own), kOk);
    EXPECT_EQ(add(a, own), Errc::already_exists);
    EXPECT_EQ(add(b, own), kOk);
    EXPECT_EQ(device(a).own, (std::vector<OwnObservation>{own}));
    const auto remove = [&] { return code(wait_for<void>([&](auto done) { store->remove_own(a, "3.0.9", done); })); };
    EXPECT_EQ(remove(), kOk);
    EXPECT_EQ(remove(), Errc::not_found);
    EXPECT_TRUE(device(a).own.empty());
    EXPECT_EQ(device(b).own.size(), 1U);
}

TEST_P(StoreContract, OwnObservationsAreBounded) {
    for (std::size_t i = 0; i < kMaxOwnObservations; ++i) {
        EXPECT_EQ(add(a, {"3.0." + std::to_string(i), "/3/0/" + std::to_string(i), {}, {}, 1}), kOk);
    }
    EXPECT_EQ(add(a, {"4.0.1", "/4/0/1", {}, {}, 1}), Errc::resource_exhausted);
}

TEST_P(StoreContract, StatesOfAnOlderGenerationDoNotReplace) {
    save(a, {{1, State::active, "", 5}, {2, State::failed, "4.04 Not Found", 5}});
    save(a, {{1, State::pending, "", 4}, {2, State::active, "", 5}});
    EXPECT_EQ(device(a).states, (std::vector<ObservationState>{{1, State::active, "", 5}, {2, State::active, "", 5}}));
    save(a, {{3, State::pending, "", 6}}, {1, 2});
    EXPECT_EQ(device(a).states, (std::vector<ObservationState>{{3, State::pending, "", 6}}));
    EXPECT_TRUE(device(b).states.empty());
}

TEST_P(StoreContract, TheLaterWordOfADeviceStays) {
    const ObservationState accepted{1, State::active, "", 5, 1000};
    const ObservationState ended{1, State::failed, "4.04 Not Found", 5, 1001};
    save(a, {ended});
    save(a, {accepted});
    EXPECT_EQ(device(a).states, (std::vector<ObservationState>{ended}));
    const ObservationState registered{1, State::active, "", 6, 900};
    save(a, {registered});
    EXPECT_EQ(device(a).states, (std::vector<ObservationState>{registered})) << "a later registration counts more";
    save(a, {{1, State::pending, "", 6, 900}});
    EXPECT_EQ(device(a).states.at(0).state, State::pending) << "the same time: the later call";
}

TEST_P(StoreContract, LatestValuesAreTheNewest) {
    merge({{a, {{{"/3/0/9", 100, "old"}, {"/3/0/13", 1, "x"}}, {{4, 1, 7, 100}}}}, {b, {{{"/3/0/9", 1, "b"}}, {}}}});
    merge({{a, {{{"/3/0/9", 200, std::string("n\0w", 3)}}, {{4, 1, 8, 200}}}}});
    merge({{a, {{{"/3/0/9", 150, "late"}}, {{4, 1, 6, 150}}}}});
    const LatestRecord found = latest(a);
    EXPECT_EQ(found.values, (std::vector<LatestValue>{{"/3/0/13", 1, "x"}, {"/3/0/9", 200, std::string("n\0w", 3)}}));
    EXPECT_EQ(found.notifies, (std::vector<LastNotify>{{4, 1, 8, 200}}));
    EXPECT_EQ(latest(b).values.size(), 1U);
    EXPECT_TRUE(latest(DeviceNumber{64 * 9}).values.empty());
}

TEST_P(StoreContract, ForgottenDevicesAreGone) {
    EXPECT_EQ(add(a, {"3.0.9", "/3/0/9", {}, {}, 4}), kOk);
    merge({{a, {{{"/3/0/9", 100, "v"}}, {}}}});
    EXPECT_TRUE(wait_for<void>([&](auto done) { store->forget_device(a, done); }));
    EXPECT_TRUE(device(a).own.empty());
    EXPECT_TRUE(latest(a).values.empty());
}

}  // namespace lanyard::observation
