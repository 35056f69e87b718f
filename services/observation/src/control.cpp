#include "control.hpp"

#include <algorithm>
#include <utility>

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStoreRetry = 1s;
constexpr int kRolloutPage = 500;
constexpr Duration kRolloutWait = 200ms;
constexpr std::size_t kRevivalsMax = 100000;

ReconcileRequest::Kind kind_of(const LifecycleEvent& event) {
    if (event.event == "deleted") return ReconcileRequest::Kind::deleted;
    return event.device.registered ? ReconcileRequest::Kind::present : ReconcileRequest::Kind::offline;
}

// "created" and "changed" tell of the device's record: labels may matter, but not what is registered; the next
// Register brings them to bear.
bool matters(const LifecycleEvent& event) {
    return event.device.registered || event.event == "deregistered" || event.event == "expired" ||
           event.event == "deleted";
}

}  // namespace

struct Control::Rollout {
    std::string tenant;
    std::string page_token;
};

Control::Control(Deps deps)
    : deps_(std::move(deps)),
      reconciler_({deps_.scheduler, deps_.downlink, deps_.store, deps_.specs, deps_.metrics, deps_.config, deps_.key,
                   [this] { return templates(); }, deps_.publish}),
      templates_(std::make_shared<CompiledTemplates>()) {}

Control::~Control() = default;

void Control::post(std::function<void()> task) {
    deps_.scheduler.post([this, task = std::move(task), alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired() && !stopped_) task();
    });
}

void Control::after(Duration delay, std::function<void()> task) {
    deps_.scheduler.after(delay, [this, task = std::move(task), alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired() && !stopped_) task();
    });
}

template <class Argument>
std::function<void(Argument)> Control::on_scheduler(std::function<void(Argument)> task) {
    return [this, task = std::move(task), scheduler = &deps_.scheduler,
            alive = std::weak_ptr<bool>(alive_)](Argument argument) {
        auto held = std::make_shared<Argument>(std::move(argument));
        scheduler->post([this, task, alive, held] {
            if (!alive.expired() && !stopped_) task(std::move(*held));
        });
    };
}

void Control::start() {
    post([this] { write_default(0); });
    load_specs();
}

void Control::stop() {
    stopped_ = true;
    reconciler_.stop();
}

std::shared_ptr<const CompiledTemplates> Control::templates() const {
    const std::lock_guard lock(mutex_);
    return templates_;
}

void Control::write_default(std::size_t index) {
    if (index >= deps_.defaults.size()) return load_templates(true);
    deps_.store.put_template(
        deps_.defaults[index], true, on_scheduler<Result<void>>([this, index](const Result<void>& result) {
            if (result) return write_default(index + 1);
            deps_.redis.down("templates cannot be written (" + result.error().message + "); next attempt in 1 s");
            after(kStoreRetry, [this, index] { write_default(index); });
        }));
}

// `poll`: goes on with looking for changes; there is one such loop.
void Control::load_templates(bool poll) {
    deps_.store.load_templates(on_scheduler<Result<TemplateSet>>([this, poll](Result<TemplateSet> set) {
        if (set) {
            deps_.redis.ok();
            const std::lock_guard lock(mutex_);
            templates_ = compile(std::move(*set));
            templates_loaded_ = true;
        } else {
            deps_.redis.down("templates cannot be read (" + set.error().message + "); attempts go on");
        }
        announce_ready();
        if (poll) after(templates_loaded_ ? deps_.config.template_refresh : kStoreRetry, [this] { check_version(); });
    }));
}

// One small command each second instead of the whole list.
void Control::check_version() {
    if (!templates_loaded_) return load_templates(true);
    deps_.store.template_version(on_scheduler<Result<std::uint64_t>>([this](const Result<std::uint64_t>& version) {
        if (version && *version != templates()->version) return load_templates(true);
        if (version) {
            deps_.redis.ok();
        } else {
            deps_.redis.down(version.error().message + "; attempts go on");
        }
        after(deps_.config.template_refresh, [this] { check_version(); });
    }));
}

void Control::load_specs() {
    post([this] {
        if (loading_specs_) {
            load_specs_again_ = true;
            return;
        }
        loading_specs_ = true;
        deps_.store.load_specs(on_scheduler<Result<std::vector<Spec>>>(
            [this](Result<std::vector<Spec>> specs) { spec_load_done(std::move(specs)); }));
    });
}

void Control::spec_load_done(Result<std::vector<Spec>> specs) {
    loading_specs_ = false;
    if (!specs) {
        after(kStoreRetry, [this] { load_specs(); });
        return;
    }
    deps_.specs.loaded(*specs);
    specs_known_ = true;
    announce_ready();
    deps_.specs_loaded();
    // Not at once: a stream of notifications of an unknown spec must not turn into a stream of loads.
    if (std::exchange(load_specs_again_, false)) after(200ms, [this] { load_specs(); });
}

void Control::announce_ready() {
    if (ready_ || !templates_loaded_ || !specs_known_) return;
    ready_ = true;
    deps_.ready();
}

void Control::lifecycle(LifecycleEvent event, std::function<void()> done) {
    post([this, event = std::move(event), done = std::move(done)]() mutable {
        if (!matters(event)) return done();
        const auto kind = kind_of(event);
        reconciler_.submit({kind, std::move(event.device), {}, std::move(done)});
    });
}

void Control::device_changed(DeviceInfo device, std::vector<SpecId> retry) {
    if (!device.registered) return;
    post([this, device = std::move(device), retry = std::move(retry)]() mutable {
        reconciler_.submit({ReconcileRequest::Kind::present, std::move(device), std::move(retry), {}});
    });
}

void Control::ended(EndedObservation ended, std::function<void()> kept) {
    save_ended(ended, std::move(kept));
    post([this, ended = std::move(ended)] {
        if (revivals_.size() >= kRevivalsMax) revivals_.clear();
        Revival& revival = revivals_[(std::uint64_t{ended.device.value} << 16) | ended.spec];
        if (revival.generation != ended.generation) revival = {ended.generation, 0};
        if (revival.attempts >= deps_.config.revive_attempts) return;
        const Duration delay = deps_.config.revive_delay * (1U << std::min(revival.attempts, 16U));
        ++revival.attempts;
        after(delay, [this, ended] { revive(ended); });
    });
}

void Control::save_ended(const EndedObservation& ended, std::function<void()> kept) {
    // One more: a device can end only what it accepted before, even in the same millisecond.
    const ObservationState state{ended.spec, State::failed, ended.reason, ended.generation, ended.received_ms + 1};
    auto again = on_scheduler<Result<void>>([this, ended, kept](const Result<void>&) {
        after(kStoreRetry, [this, ended, kept] { save_ended(ended, kept); });
    });
    deps_.store.save_states(ended.device, std::span(&state, 1), {},
                            [kept = std::move(kept), again = std::move(again)](const Result<void>& result) {
                                if (result) return kept();
                                again(result);
                            });
}

void Control::revive(const EndedObservation& ended) {
    deps_.directory.get(ended.tenant, ended.endpoint,
                        on_scheduler<Result<DeviceInfo>>([this, ended](const Result<DeviceInfo>& device) {
                            if (!device || device->generation != ended.generation) return;
                            device_changed(*device, {ended.spec});
                        }));
}

void Control::templates_changed(const std::string& tenant) {
    post([this] { load_templates(false); });
    // Other replicas must have seen the change before devices are looked at: one that registers meanwhile and is
    // handled by them would be missed otherwise.
    after(deps_.config.template_refresh * 3 / 2, [this, tenant] {
        auto rollout = std::make_shared<Rollout>();
        rollout->tenant = tenant;
        roll_out(rollout);
    });
}

// Devices that do not answer stay open for their whole budget: the next page waits for room, or a large fleet of them
// would be held in memory at once.
void Control::roll_out(const std::shared_ptr<Rollout>& rollout) {
    if (reconciler_.open() >= deps_.config.rollout_open_max) {
        return after(kRolloutWait, [this, rollout] { roll_out(rollout); });
    }
    deps_.directory.list(rollout->tenant, rollout->page_token, kRolloutPage,
                         on_scheduler<Result<DevicePage>>(
                             [this, rollout](Result<DevicePage> page) { rollout_page(rollout, std::move(page)); }));
}

void Control::rollout_page(const std::shared_ptr<Rollout>& rollout, Result<DevicePage> page) {
    if (!page) {
        deps_.log.warn("devices cannot be listed after a change of templates, next attempt in 1 s",
                       {{"tenant", rollout->tenant}, {"error", page.error().message}});
        after(kStoreRetry, [this, rollout] { roll_out(rollout); });
        return;
    }
    const std::size_t count = page->devices.size();
    for (DeviceInfo& device : page->devices) device_changed(std::move(device), {});
    rollout->page_token = page->next_page_token;
    if (rollout->page_token.empty()) return;
    const auto pause = std::chrono::milliseconds(1000 * count / deps_.config.rollout_rate);
    after(pause, [this, rollout] { roll_out(rollout); });
}

}  // namespace lanyard::observation
