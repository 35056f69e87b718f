#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "lifecycle_event.hpp"
#include "reconciler.hpp"
#include "runtime/health.hpp"
#include "telemetry/log.hpp"

namespace lanyard::observation {

// What decides when the reconciler looks at which device: lifecycle events, changes of templates and of single
// observations, observations that a device ended. Keeps the templates and specs of this process up to date.
//
// Any thread may call the public methods; the work is done on the scheduler.
class Control {
  public:
    struct Deps {
        Scheduler& scheduler;
        Downlink& downlink;
        DeviceDirectory& directory;
        ObservationStore& store;
        SpecTable& specs;
        Metrics& metrics;
        const telemetry::Logger& log;
        runtime::HealthBoard::Dependency redis;
        ReconcileConfig config;
        SipKey key{};
        std::vector<Template> defaults;  // written to the store first
        std::function<bool(InitialValue)> publish;
        std::function<void()> specs_loaded;
        std::function<void()> ready;  // once: templates and specs are loaded
    };

    explicit Control(Deps deps);
    ~Control();

    void start();
    // No further work; blocks nothing. Call on the scheduler's thread or after it has ended.
    void stop();

    void lifecycle(LifecycleEvent event, std::function<void()> done);
    // Stores that it failed, again and again until the store answers, then calls `kept` (on any thread); sets it up
    // again after a while.
    void ended(EndedObservation ended, std::function<void()> kept);
    void load_specs();
    // An observation of one device was made or deleted; `retry` may name its spec.
    void device_changed(DeviceInfo device, std::vector<SpecId> retry);
    // Templates were changed by this process: reload them, then look at all registered devices of the tenant.
    void templates_changed(const std::string& tenant);
    [[nodiscard]] std::shared_ptr<const CompiledTemplates> templates() const;

  private:
    struct Rollout;
    // Work to do on the scheduler unless this object is gone or stopped.
    void post(std::function<void()> task);
    void after(Duration delay, std::function<void()> task);
    template <class Argument>
    std::function<void(Argument)> on_scheduler(std::function<void(Argument)> task);

    void write_default(std::size_t index);
    void load_templates(bool poll);
    void check_version();
    void spec_load_done(Result<std::vector<Spec>> specs);
    void announce_ready();
    void save_ended(const EndedObservation& ended, std::function<void()> kept);
    void revive(const EndedObservation& ended);
    void roll_out(const std::shared_ptr<Rollout>& rollout);
    void rollout_page(const std::shared_ptr<Rollout>& rollout, Result<DevicePage> page);

    Deps deps_;
    Reconciler reconciler_;
    mutable std::mutex mutex_;
    std::shared_ptr<const CompiledTemplates> templates_;
    bool templates_loaded_ = false;
    bool specs_known_ = false;
    bool ready_ = false;
    bool loading_specs_ = false;
    bool load_specs_again_ = false;
    bool stopped_ = false;
    struct Revival {
        std::uint32_t generation = 0;
        std::uint32_t attempts = 0;
    };
    std::unordered_map<std::uint64_t, Revival> revivals_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace lanyard::observation
