#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "observation/store.hpp"

namespace lanyard::observation {
namespace {

Error no_such(std::string_view what) {
    return make_error(Errc::not_found, "there is no such " + std::string(what));
}

// Changes are made under the lock, answers are given after it.
class MemoryStore final : public ObservationStore {
  public:
    void intern_spec(const std::vector<std::string>& paths, Done<SpecId> done) override { done(intern(paths)); }
    void load_specs(Done<std::vector<Spec>> done) override {
        std::unique_lock lock(mutex_);
        auto copy = specs_;
        lock.unlock();
        done(std::move(copy));
    }

    void put_template(const Template& entry, bool replace, Done<void> done) override { done(put(entry, replace)); }
    void delete_template(std::string_view tenant, std::string_view id, Done<void> done) override {
        std::unique_lock lock(mutex_);
        const bool erased = templates_.erase({std::string(tenant), std::string(id)}) > 0;
        if (erased) ++version_;
        lock.unlock();
        done(erased ? Result<void>() : no_such("template"));
    }
    void load_templates(Done<TemplateSet> done) override {
        std::unique_lock lock(mutex_);
        TemplateSet set{version_, {}};
        for (const auto& [key, entry] : templates_) set.templates.push_back(entry);
        lock.unlock();
        done(std::move(set));
    }
    void template_version(Done<std::uint64_t> done) override {
        std::unique_lock lock(mutex_);
        const std::uint64_t version = version_;
        lock.unlock();
        done(version);
    }

    void load_device(DeviceNumber device, Done<DeviceRecord> done) override {
        std::unique_lock lock(mutex_);
        DeviceRecord record;
        if (const auto found = devices_.find(device.value); found != devices_.end()) {
            for (const auto& [id, own] : found->second.own) record.own.push_back(own);
            for (const auto& [spec, state] : found->second.states) record.states.push_back(state);
        }
        lock.unlock();
        done(std::move(record));
    }
    void add_own(DeviceNumber device, const OwnObservation& own, Done<void> done) override { done(add(device, own)); }
    void remove_own(DeviceNumber device, std::string_view id, Done<void> done) override {
        std::unique_lock lock(mutex_);
        const auto found = devices_.find(device.value);
        const bool erased = found != devices_.end() && found->second.own.erase(std::string(id)) > 0;
        lock.unlock();
        done(erased ? Result<void>() : no_such("observation"));
    }
    void save_states(DeviceNumber device, std::span<const ObservationState> states, std::span<const SpecId> gone,
                     Done<void> done) override {
        std::unique_lock lock(mutex_);
        auto& stored = devices_[device.value].states;
        for (const SpecId spec : gone) stored.erase(spec);
        for (const ObservationState& state : states) {
            const auto [at, fresh] = stored.try_emplace(state.spec, state);
            const auto order = [](const ObservationState& s) { return std::pair(s.generation, s.since_ms); };
            if (!fresh && order(at->second) <= order(state)) at->second = state;
        }
        lock.unlock();
        done({});
    }

    void merge_latest(std::span<const LatestUpdate> updates, Done<void> done) override {
        std::unique_lock lock(mutex_);
        for (const auto& [device, record] : updates) merge(latest_[device.value], record);
        lock.unlock();
        done({});
    }
    void load_latest(DeviceNumber device, Done<LatestRecord> done) override {
        std::unique_lock lock(mutex_);
        LatestRecord record;
        if (const auto found = latest_.find(device.value); found != latest_.end()) {
            for (const auto& [path, value] : found->second.values) record.values.push_back(value);
            for (const auto& [spec, notify] : found->second.notifies) record.notifies.push_back(notify);
        }
        lock.unlock();
        done(std::move(record));
    }
    void forget_device(DeviceNumber device, Done<void> done) override {
        std::unique_lock lock(mutex_);
        devices_.erase(device.value);
        latest_.erase(device.value);
        lock.unlock();
        done({});
    }

  private:
    struct Device {
        std::map<std::string, OwnObservation> own;
        std::map<SpecId, ObservationState> states;
    };
    struct Latest {
        std::map<std::string, LatestValue> values;
        std::map<SpecId, LastNotify> notifies;
    };

    Result<SpecId> intern(const std::vector<std::string>& paths) {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(specs_.begin(), specs_.end(), [&](const Spec& s) { return s.paths == paths; });
        if (found != specs_.end()) return found->id;
        if (specs_.size() >= 65535) return make_error(Errc::resource_exhausted, "all observation numbers are taken");
        const auto id = static_cast<SpecId>(specs_.size() + 1);
        specs_.push_back({id, paths});
        return id;
    }

    Result<void> put(const Template& entry, bool replace) {
        const std::lock_guard lock(mutex_);
        const std::pair key{entry.tenant, entry.id};
        const bool exists = templates_.contains(key);
        if (exists && !replace) return make_error(Errc::already_exists, "there is a template of this id");
        const auto count = static_cast<std::size_t>(std::count_if(
            templates_.begin(), templates_.end(), [&](const auto& e) { return e.first.first == entry.tenant; }));
        if (!exists && count >= kMaxTemplates) {
            return make_error(Errc::resource_exhausted, "the tenant has 1000 templates already");
        }
        if (exists && templates_[key] == entry) return {};
        templates_[key] = entry;
        ++version_;
        return {};
    }

    Result<void> add(DeviceNumber device, const OwnObservation& own) {
        const std::lock_guard lock(mutex_);
        auto& stored = devices_[device.value].own;
        if (stored.contains(own.id)) {
            return make_error(Errc::already_exists, "the device has an observation of this path");
        }
        if (stored.size() >= kMaxOwnObservations) {
            return make_error(Errc::resource_exhausted, "the device has 64 observations already");
        }
        stored.emplace(own.id, own);
        return {};
    }

    static void merge(Latest& latest, const LatestRecord& record) {
        for (const LatestValue& value : record.values) {
            const auto [at, fresh] = latest.values.try_emplace(value.path, value);
            if (!fresh && at->second.time_ms <= value.time_ms) at->second = value;
        }
        for (const LastNotify& notify : record.notifies) {
            const auto [at, fresh] = latest.notifies.try_emplace(notify.spec, notify);
            if (!fresh && at->second.received_ms <= notify.received_ms) at->second = notify;
        }
    }

    std::mutex mutex_;
    std::vector<Spec> specs_;
    std::map<std::pair<std::string, std::string>, Template> templates_;
    std::uint64_t version_ = 0;
    std::unordered_map<std::uint32_t, Device> devices_;
    std::unordered_map<std::uint32_t, Latest> latest_;
};

}  // namespace

std::shared_ptr<ObservationStore> make_memory_store() {
    return std::make_shared<MemoryStore>();
}

}  // namespace lanyard::observation
