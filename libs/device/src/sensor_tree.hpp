#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "device/attribute_table.hpp"
#include "device/resource_tree.hpp"
#include "device/temperature_sensor.hpp"

namespace lanyard::device {

// The resources of one temperature device of a fleet, made for the length of one operation: objects 1 (server),
// 3 (device), 4 (connectivity monitoring) and 3303 (temperature).
//
// Works on copies; the fleet takes over what an operation has changed.
class SensorTree final : public ResourceTree {
  public:
    // What an accepted operation asks of the device beyond its values.
    enum class Effect { none, reset_min_max, reboot, update_registration };

    SensorTree(const TemperatureSensor& sensor, std::uint32_t lifetime_s, std::string_view endpoint,
               AttributeTable& attributes, AttributeTable::SetId attribute_set)
        : sensor_(sensor),
          lifetime_s_(lifetime_s),
          endpoint_(endpoint),
          attributes_(attributes),
          attribute_set_(attribute_set) {}

    [[nodiscard]] Result<void> read(const lwm2m::Path& path, lwm2m::Records& out) const override;
    [[nodiscard]] Result<void> write(const lwm2m::Path& base, std::span<const lwm2m::Record> records,
                                     WriteMode mode) override;
    [[nodiscard]] Result<void> execute(const lwm2m::Path& path, ByteView arguments) override;
    [[nodiscard]] std::vector<lwm2m::Path> list(const lwm2m::Path& path) const override;
    [[nodiscard]] lwm2m::Attributes attributes(const lwm2m::Path& path) const override;
    [[nodiscard]] Result<void> set_attributes(const lwm2m::Path& path, const lwm2m::Attributes& change) override;

    [[nodiscard]] Effect effect() const { return effect_; }
    [[nodiscard]] std::uint32_t lifetime_s() const { return lifetime_s_; }
    [[nodiscard]] AttributeTable::SetId attribute_set() const { return attribute_set_; }

  private:
    TemperatureSensor sensor_;
    std::uint32_t lifetime_s_;
    std::string_view endpoint_;
    AttributeTable& attributes_;
    AttributeTable::SetId attribute_set_;
    Effect effect_ = Effect::none;
};

// What can be observed has a small number, so that a device can keep it in a byte.
std::optional<std::uint8_t> observable_number(const lwm2m::Path& path);
lwm2m::Path observable_path(std::uint8_t number);

}  // namespace lanyard::device
