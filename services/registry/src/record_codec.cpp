#include "record_codec.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/bytes.hpp"
#include "identity/resource_name.hpp"
#include "lanyard/storage/v1/device.pb.h"
#include "redis_script_parts.hpp"

namespace lanyard::registry {
namespace {

constexpr std::uint8_t kEnabled = 1;
constexpr std::uint8_t kRegistered = 2;
constexpr std::uint8_t kQueueMode = 4;

// The first byte of an element of an outbox; that of a record is neither.
constexpr std::uint8_t kGroupVersion = 2;
constexpr std::uint8_t kSingleVersion = 3;
constexpr std::size_t kHeadBytes = 13;

// Field `number` (below 16) of wire type 2 (protobuf encoding, "Length-Delimited Records").
void put_text(std::string& out, unsigned number, std::string_view text) {
    out.push_back(static_cast<char>(number << 3 | 2));
    std::size_t size = text.size();
    for (; size >= 0x80; size >>= 7) out.push_back(static_cast<char>(size | 0x80));
    out.push_back(static_cast<char>(size));
    out.append(text);
}

bool decode_profile(ByteView raw, DeviceProfile& profile) {
    if (raw.empty()) return true;  // as nearly always
    storage::v1::StoredDevice stored;
    if (!stored.ParseFromArray(raw.data(), static_cast<int>(raw.size()))) return false;
    profile.display_name = stored.display_name();
    profile.labels = {stored.labels().begin(), stored.labels().end()};
    return true;
}

bool decode_registration(ByteView raw, RegistrationInfo& registration) {
    storage::v1::StoredRegistration stored;
    if (!stored.ParseFromArray(raw.data(), static_cast<int>(raw.size()))) return false;
    registration.lwm2m_version = stored.lwm2m_version().empty() ? "1.1" : stored.lwm2m_version();
    registration.binding = std::move(*stored.mutable_binding());
    registration.sms_number = std::move(*stored.mutable_sms_number());
    registration.remote_address = std::move(*stored.mutable_remote_address());
    registration.security_mode = stored.security_mode().empty() ? "NONE" : stored.security_mode();
    registration.object_links = std::move(*stored.mutable_object_links());
    registration.register_ms = stored.register_ms();
    return true;
}

struct EventHead {
    std::uint8_t event = 0;
    UnixMillis time_ms = 0;
    std::uint32_t sequence = 0;
};

// What an element of an outbox begins: a single event, whose record is in it, or a group, whose records follow it.
// Without events: unreadable.
struct Group {
    std::vector<EventHead> events;
    std::size_t records = 0;  // elements that follow
    std::string_view record;  // of a single event
};

Group decode_group(std::string_view element) {
    Group out;
    ByteReader in(as_bytes(element));
    const std::uint8_t version = in.u8();
    if (version != kGroupVersion && version != kSingleVersion) return out;
    const std::size_t count = version == kGroupVersion ? in.u16() : 1;
    if (count > scripts::kOutboxGroupMax || in.remaining() < count * kHeadBytes) return out;
    for (std::size_t i = 0; i < count; ++i) {
        EventHead head;
        head.event = in.u8();
        head.time_ms = static_cast<UnixMillis>(in.u64());
        head.sequence = in.u32();
        out.events.push_back(head);
    }
    if (version == kGroupVersion) {
        out.records = count;
    } else {
        out.record = as_text(in.take(in.remaining()));
    }
    return out;
}

// The record of an expired device is that of before.
Result<OutboxEntry> decode_event(std::uint32_t partition, const EventHead& head, std::string_view record) {
    if (head.event < 1 || head.event > 7) return make_error(Errc::internal, "outbox event is unreadable");
    auto device = decode_record(identity::DeviceNumber::from(head.sequence, partition), record);
    if (!device) return device.error();
    OutboxEntry entry{static_cast<LifecycleEvent>(head.event), head.time_ms, std::move(*device)};
    if (entry.event == LifecycleEvent::expired) {
        entry.device.registered = false;
        ++entry.device.counter;
    }
    return entry;
}

}  // namespace

std::string encode_profile(const DeviceProfile& profile) {
    storage::v1::StoredDevice stored;
    stored.set_display_name(profile.display_name);
    stored.mutable_labels()->insert(profile.labels.begin(), profile.labels.end());
    return stored.SerializeAsString();
}

std::string encode_registration(const RegistrationInfo& registration) {
    storage::v1::StoredRegistration stored;
    if (registration.lwm2m_version != "1.1") stored.set_lwm2m_version(registration.lwm2m_version);
    stored.set_binding(registration.binding);
    stored.set_sms_number(registration.sms_number);
    stored.set_remote_address(registration.remote_address);
    if (registration.security_mode != "NONE") stored.set_security_mode(registration.security_mode);
    stored.set_object_links(registration.object_links);
    stored.set_register_ms(registration.register_ms);
    return stored.SerializeAsString();
}

std::string encode_registration_delta(const UpdateCommand& command) {
    using Stored = storage::v1::StoredRegistration;
    std::string out;
    if (command.binding) put_text(out, Stored::kBindingFieldNumber, *command.binding);
    if (command.sms_number) put_text(out, Stored::kSmsNumberFieldNumber, *command.sms_number);
    if (command.remote_address) put_text(out, Stored::kRemoteAddressFieldNumber, *command.remote_address);
    if (command.object_links) put_text(out, Stored::kObjectLinksFieldNumber, *command.object_links);
    return out;
}

Result<DeviceRecord> decode_record(identity::DeviceNumber number, std::string_view raw) {
    const auto bad = [&] {
        return make_error(Errc::internal, "stored record of device " + std::to_string(number.value) + " is unreadable");
    };
    ByteReader in(as_bytes(raw));
    if (in.u8() != kRecordVersion) return bad();
    DeviceRecord record;
    record.number = number;
    const std::uint8_t flags = in.u8();
    record.enabled = (flags & kEnabled) != 0;
    record.registered = (flags & kRegistered) != 0;
    record.queue_mode = (flags & kQueueMode) != 0;
    record.generation = in.u32();
    record.epoch = in.u32();
    record.node = in.u32();
    record.shard = in.u16();
    record.lifetime_s = in.u32();
    record.counter = in.u32();
    record.revision = in.u32();
    record.create_ms = static_cast<UnixMillis>(in.u64());
    const std::size_t key_size = in.u16();
    const std::size_t profile_size = in.u16();
    const auto name = identity::parse_device_key(as_text(in.take(key_size)));
    const ByteView profile = in.take(profile_size);
    const ByteView registration = in.take(in.remaining());
    if (!in.ok() || !name) return bad();
    record.tenant = name->tenant;
    record.endpoint = name->endpoint;
    if (!decode_profile(profile, record.profile) || !decode_registration(registration, record.registration)) {
        return bad();
    }
    return record;
}

OutboxEvents decode_outbox(std::uint32_t partition, const std::vector<std::string_view>& elements, std::size_t max,
                           bool all) {
    OutboxEvents out;
    out.entries.reserve(std::min(elements.size(), max + scripts::kOutboxGroupMax));
    std::unordered_set<std::uint32_t> devices;
    while (out.elements < elements.size() && out.entries.size() < max) {
        const Group group = decode_group(elements[out.elements]);
        const std::size_t left = elements.size() - out.elements - 1;
        if (group.records > left && !all) break;
        const bool again = std::any_of(group.events.begin(), group.events.end(),
                                       [&](const EventHead& head) { return devices.count(head.sequence) != 0; });
        if (again) break;
        ++out.elements;
        if (group.events.empty() || group.records > left) {
            ++out.unreadable;
            continue;
        }
        for (const EventHead& head : group.events) {
            devices.insert(head.sequence);
            const std::string_view record = group.records == 0 ? group.record : elements[out.elements++];
            if (auto entry = decode_event(partition, head, record)) {
                out.entries.push_back(std::move(*entry));
            } else {
                ++out.unreadable;
            }
        }
    }
    return out;
}

}  // namespace lanyard::registry
