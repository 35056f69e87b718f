#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "registry/device_record.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// The stored form of a record (docs/redis.md): a fixed big-endian header that the scripts read, then the key
// "{tenant}/{endpoint}", a StoredDevice and a StoredRegistration.
inline constexpr std::uint8_t kRecordVersion = 1;
inline constexpr std::size_t kRecordHeaderSize = 40;

// StoredDevice and StoredRegistration as bytes.
[[nodiscard]] std::string encode_profile(const DeviceProfile& profile);
[[nodiscard]] std::string encode_registration(const RegistrationInfo& registration);
// The fields of StoredRegistration that an Update sets, empty values included: the script puts them in the place of
// the stored ones.
[[nodiscard]] std::string encode_registration_delta(const UpdateCommand& command);

// internal: not a record of a version that we know, or cut.
[[nodiscard]] Result<DeviceRecord> decode_record(identity::DeviceNumber number, std::string_view raw);
// An outbox entry of one partition. internal, as above.
[[nodiscard]] Result<OutboxEntry> decode_outbox_entry(std::uint32_t partition, std::string_view raw);

}  // namespace lanyard::registry
