#pragma once

#include <cstdint>
#include <string_view>

#include "base/hash.hpp"

namespace lanyard::identity {

// Devices are spread over this many partitions: the unit of leases and of Redis hash tags. Fixed for ever,
// because stored device numbers hold the partition.
inline constexpr std::uint32_t kPartitions = 64;

// A device's number: `sequence * 64 + partition`. 0 is no device (sequences begin at 1).
struct DeviceNumber {
    std::uint32_t value = 0;

    [[nodiscard]] std::uint32_t partition() const { return value % kPartitions; }
    [[nodiscard]] std::uint32_t sequence() const { return value / kPartitions; }
    friend bool operator==(DeviceNumber, DeviceNumber) = default;

    static DeviceNumber from(std::uint32_t sequence, std::uint32_t partition) {
        return {sequence * kPartitions + partition};
    }
};

// `key` is "{tenant}/{endpoint}", which is the Kafka key too.
inline std::uint32_t partition_of(std::string_view key) {
    return murmur2(as_bytes(key)) % kPartitions;
}

}  // namespace lanyard::identity
