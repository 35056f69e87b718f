#pragma once

#include "observation/store.hpp"
#include "redis/client.hpp"

namespace lanyard::observation {

// ObservationStore on Redis; every change is one command or one script on one key.
class RedisStore final : public ObservationStore {
  public:
    explicit RedisStore(redis::Client& client);

    void intern_spec(const std::vector<std::string>& paths, Done<SpecId> done) override;
    void load_specs(Done<std::vector<Spec>> done) override;
    void put_template(const Template& entry, bool replace, Done<void> done) override;
    void delete_template(std::string_view tenant, std::string_view id, Done<void> done) override;
    void load_templates(Done<TemplateSet> done) override;
    void template_version(Done<std::uint64_t> done) override;
    void load_device(DeviceNumber device, Done<DeviceRecord> done) override;
    void add_own(DeviceNumber device, const OwnObservation& own, Done<void> done) override;
    void remove_own(DeviceNumber device, std::string_view id, Done<void> done) override;
    void save_states(DeviceNumber device, std::span<const ObservationState> states, std::span<const SpecId> gone,
                     Done<void> done) override;
    void merge_latest(std::span<const LatestUpdate> updates, Done<void> done) override;
    void load_latest(DeviceNumber device, Done<LatestRecord> done) override;
    void forget_device(DeviceNumber device, Done<void> done) override;

  private:
    redis::Client& client_;
    redis::Script intern_;
    redis::Script put_template_;
    redis::Script delete_template_;
    redis::Script add_own_;
    redis::Script remove_own_;
    redis::Script merge_latest_;
    redis::Script save_states_;
};

}  // namespace lanyard::observation
