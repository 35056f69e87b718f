#include "sensor_tree.hpp"

#include <algorithm>
#include <array>

#include "lwm2m/value.hpp"

namespace lanyard::device {
namespace {

using lwm2m::Path;
using lwm2m::Value;

enum class Access : std::uint8_t { read, read_write, execute };

// One leaf: a resource, or a resource instance where `multiple`.
struct Leaf {
    std::uint16_t object;
    std::uint16_t resource;
    Access access;
    bool multiple = false;
};

// Ascending; every object has instance 0 only, every multiple resource its instance 0.
constexpr std::array kLeaves{
    Leaf{1, 0, Access::read},       Leaf{1, 1, Access::read_write},    Leaf{1, 6, Access::read},
    Leaf{1, 7, Access::read},       Leaf{1, 8, Access::execute},       Leaf{3, 0, Access::read},
    Leaf{3, 1, Access::read},       Leaf{3, 2, Access::read},          Leaf{3, 3, Access::read},
    Leaf{3, 4, Access::execute},    Leaf{3, 9, Access::read},          Leaf{3, 11, Access::read, true},
    Leaf{3, 16, Access::read},      Leaf{4, 0, Access::read},          Leaf{4, 1, Access::read, true},
    Leaf{4, 2, Access::read},       Leaf{4, 4, Access::read, true},    Leaf{3303, 5601, Access::read},
    Leaf{3303, 5602, Access::read}, Leaf{3303, 5605, Access::execute}, Leaf{3303, 5700, Access::read},
    Leaf{3303, 5701, Access::read},
};

// Reset Min and Max Measured Values is 5605 in the registry; devices in the field have it at 5603 as well.
constexpr std::uint16_t kResetOfOldDevices = 5603;

constexpr std::array<std::array<std::uint16_t, 3>, 10> kObservable{{
    {3303, 0, 5700},
    {3303, 0, lwm2m::kReservedId},
    {3303, lwm2m::kReservedId, lwm2m::kReservedId},
    {3303, 0, 5601},
    {3303, 0, 5602},
    {3, 0, 9},
    {3, 0, lwm2m::kReservedId},
    {3, lwm2m::kReservedId, lwm2m::kReservedId},
    {4, 0, 2},
    {4, 0, lwm2m::kReservedId},
}};

Path path_of(const Leaf& leaf) {
    if (leaf.multiple) return Path{leaf.object, 0, leaf.resource, 0};
    return Path{leaf.object, 0, leaf.resource};
}

const Leaf* find_leaf(const Path& path) {
    const auto at = std::find_if(kLeaves.begin(), kLeaves.end(), [&](const Leaf& leaf) {
        return path_of(leaf) == path || path_of(leaf).prefix(3) == path;
    });
    return at == kLeaves.end() ? nullptr : &*at;
}

Error nothing_there(const Path& path) {
    return make_error(Errc::not_found, path.to_string() + " does not exist");
}

Value server_or_device_value(const Leaf& leaf, std::uint32_t lifetime_s, std::string_view endpoint) {
    if (leaf.object == 1) {
        if (leaf.resource == 1) return std::int64_t{lifetime_s};
        if (leaf.resource == 6) return true;
        if (leaf.resource == 7) return std::string("U");
        return std::int64_t{1};
    }
    switch (leaf.resource) {
        case 0:
            return std::string("Lanyard");
        case 1:
            return std::string("simulated temperature sensor");
        case 2:
            return std::string(endpoint);
        case 3:
            return std::string("1.0.0");
        case 9:
            return std::int64_t{100};
        case 11:
            return std::int64_t{0};
        default:
            return std::string("U");
    }
}

Value connectivity_value(const Leaf& leaf) {
    constexpr std::int64_t kEthernet = 41;
    if (leaf.resource == 2) return std::int64_t{-60};
    if (leaf.resource == 4) return std::string("127.0.0.1");
    return kEthernet;
}

Value temperature_value(const Leaf& leaf, const TemperatureSensor& sensor) {
    switch (leaf.resource) {
        case 5601:
            return degrees(sensor.min);
        case 5602:
            return degrees(sensor.max);
        case 5700:
            return degrees(sensor.value);
        default:
            return std::string("Cel");
    }
}

}  // namespace

Result<void> SensorTree::read(const Path& path, lwm2m::Records& out) const {
    bool found = false;
    for (const Leaf& leaf : kLeaves) {
        const Path at = path_of(leaf);
        if (!path.contains(at)) continue;
        found = true;
        if (leaf.access == Access::execute) {
            if (path == at) return make_error(Errc::failed_precondition, path.to_string() + " cannot be read");
            continue;
        }
        Value value = leaf.object == 3303 ? temperature_value(leaf, sensor_)
                      : leaf.object == 4  ? connectivity_value(leaf)
                                          : server_or_device_value(leaf, lifetime_s_, endpoint_);
        out.push_back({at, std::move(value), std::nullopt});
    }
    if (!found) return nothing_there(path);
    return {};
}

Result<void> SensorTree::write(const Path& base, std::span<const lwm2m::Record> records, WriteMode) {
    if (list(base).empty() && find_leaf(base) == nullptr) return nothing_there(base);
    std::optional<std::uint32_t> lifetime_s;
    for (const lwm2m::Record& record : records) {
        const Leaf* leaf = find_leaf(record.path);
        if (leaf == nullptr) return nothing_there(record.path);
        const auto* number = std::get_if<std::int64_t>(&record.value);
        if (leaf->access != Access::read_write) {
            return make_error(Errc::failed_precondition, record.path.to_string() + " cannot be written");
        }
        if (number == nullptr || *number < 0 || *number > 0xffffffff) {
            return make_error(Errc::invalid_argument, "lifetime must be 0 to 4294967295");
        }
        lifetime_s = static_cast<std::uint32_t>(*number);
    }
    if (lifetime_s && *lifetime_s != lifetime_s_) {
        lifetime_s_ = *lifetime_s;
        effect_ = Effect::update_registration;
    }
    return {};
}

Result<void> SensorTree::execute(const Path& path, ByteView) {
    if (path == Path{3303, 0, kResetOfOldDevices}) {
        effect_ = Effect::reset_min_max;
        return {};
    }
    const Leaf* leaf = find_leaf(path);
    if (leaf == nullptr) return nothing_there(path);
    if (leaf->access != Access::execute) {
        return make_error(Errc::failed_precondition, path.to_string() + " cannot be executed");
    }
    effect_ = leaf->object == 3303 ? Effect::reset_min_max
              : leaf->object == 3  ? Effect::reboot
                                   : Effect::update_registration;
    return {};
}

std::vector<Path> SensorTree::list(const Path& path) const {
    std::vector<Path> paths;
    for (const Leaf& leaf : kLeaves) {
        for (std::size_t size = 1; size <= 3; ++size) {
            const Path at = path_of(leaf).prefix(size);
            if (path.contains(at) && (paths.empty() || paths.back() < at)) paths.push_back(at);
        }
    }
    return paths;
}

lwm2m::Attributes SensorTree::attributes(const Path& path) const {
    return attributes_.at(attribute_set_, path);
}

Result<void> SensorTree::set_attributes(const Path& path, const lwm2m::Attributes& change) {
    if (list(path).empty()) return nothing_there(path);
    const Result<AttributeTable::SetId> set = attributes_.change(attribute_set_, path, change);
    if (!set) return set.error();
    attribute_set_ = *set;
    return {};
}

std::optional<std::uint8_t> observable_number(const Path& path) {
    for (std::size_t number = 0; number < kObservable.size(); ++number) {
        if (observable_path(static_cast<std::uint8_t>(number)) == path) return static_cast<std::uint8_t>(number);
    }
    return std::nullopt;
}

Path observable_path(std::uint8_t number) {
    const auto& ids = kObservable[number];
    if (ids[1] == lwm2m::kReservedId) return Path{ids[0]};
    if (ids[2] == lwm2m::kReservedId) return Path{ids[0], ids[1]};
    return Path{ids[0], ids[1], ids[2]};
}

}  // namespace lanyard::device
