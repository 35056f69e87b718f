#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/device_record.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// The stored form of a record (docs/redis.md): a fixed big-endian header that the scripts read, then the key
// "{tenant}/{endpoint}", a StoredDevice and a StoredRegistration.
inline constexpr std::uint8_t kRecordVersion = 1;

// StoredDevice and StoredRegistration as bytes.
[[nodiscard]] std::string encode_profile(const DeviceProfile& profile);
[[nodiscard]] std::string encode_registration(const RegistrationInfo& registration);
// The fields of StoredRegistration that an Update sets, empty values included: the script puts them in the place of
// the stored ones.
[[nodiscard]] std::string encode_registration_delta(const UpdateCommand& command);

// internal: not a record of a version that we know, or cut.
[[nodiscard]] Result<DeviceRecord> decode_record(identity::DeviceNumber number, std::string_view raw);
// The events at the begin of an outbox, given elements of its list from the first on; `all`: the list has no more.
// Groups (docs/redis.md) are taken whole. Stops when it has `max` events or more, before a device that comes a second
// time, and before a group whose records are not all here. What is unreadable is counted and passed over.
struct OutboxEvents {
    std::vector<OutboxEntry> entries;
    std::size_t elements = 0;  // that were decoded
    std::size_t unreadable = 0;
};
[[nodiscard]] OutboxEvents decode_outbox(std::uint32_t partition, const std::vector<std::string_view>& elements,
                                         std::size_t max, bool all);

}  // namespace lanyard::registry
