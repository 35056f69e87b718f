#include "redis_reply.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "record_codec.hpp"
#include "redis_scripts.hpp"

namespace lanyard::registry {
namespace {

constexpr std::uint32_t kIndexHashes = 128;

std::uint32_t number_at(const std::vector<redis::Reply>& items, std::size_t index) {
    return static_cast<std::uint32_t>(items[index].integer());
}

Result<DeviceRecord> record_at(std::uint32_t partition, const std::vector<redis::Reply>& items, std::size_t index) {
    const auto number = identity::DeviceNumber::from(number_at(items, index), partition);
    auto record = decode_record(number, items[index + 1].text());
    if (!record) return record;
    // What is left of an ended registration means nothing.
    if (record->registered) record->pledge_s = number_at(items, index + 2);
    // A Register writes its time into the record alone.
    const auto registered_s = static_cast<std::uint32_t>(record->registration.register_ms / 1000);
    record->last_seen_s = std::max(number_at(items, index + 3), registered_s);
    return record;
}

}  // namespace

Result<void> check_status(const redis::Reply& reply) {
    if (reply.items().empty()) return make_error(Errc::internal, "a script gave no status");
    return check_status(reply.items()[0].integer());
}

Result<void> check_status(std::int64_t status) {
    switch (status) {
        case scripts::ok:
            return {};
        case scripts::not_found:
            return make_error(Errc::not_found, "there is no such device or registration");
        case scripts::forbidden:
            return make_error(Errc::permission_denied, "this endpoint may not register here");
        case scripts::stale:
            return make_error(Errc::failed_precondition, "another owner has a newer epoch");
        case scripts::exists:
            return make_error(Errc::already_exists, "the device exists");
        case scripts::aborted:
            return make_error(Errc::aborted, "the device was changed by someone else; read it again");
        case scripts::full:
            return make_error(Errc::unavailable, "too many events wait for Kafka; try again later");
        default:
            return make_error(Errc::internal, "a script gave an unknown status");
    }
}

Result<Change> to_change(std::uint32_t partition, const redis::Reply& reply) {
    if (auto status = check_status(reply); !status) return status.error();
    const auto& items = reply.items();
    if (items.size() < 8) return make_error(Errc::internal, "a script gave a short answer");
    auto record = record_at(partition, items, 1);
    if (!record) return record.error();
    return Change{std::move(*record), items[5].integer() == 1, number_at(items, 6),
                  static_cast<std::uint16_t>(items[7].integer())};
}

Result<DeviceRecord> to_record(std::uint32_t partition, const redis::Reply& reply) {
    auto change = to_change(partition, reply);
    if (!change) return change.error();
    return std::move(change->device);
}

Result<DevicePage> to_page(std::uint32_t partition, const redis::Reply& reply) {
    const auto& items = reply.items();
    if (items.empty()) return make_error(Errc::internal, "a script gave no page");
    DevicePage page;
    page.next = number_at(items, 0);
    for (std::size_t i = 1; i + 3 < items.size(); i += 4) {
        if (auto record = record_at(partition, items, i)) page.devices.push_back(std::move(*record));
    }
    return page;
}

std::string partition_tag(std::uint32_t partition) {
    return "{p" + std::to_string(partition) + "}";
}

std::string sequence_key(const std::string& tag) {
    return "reg:" + tag + ":seq";
}

std::uint8_t index_hash(std::string_view device_key) {
    return static_cast<std::uint8_t>(murmur2(as_bytes(device_key)) / identity::kPartitions % kIndexHashes);
}

std::string index_key(std::string_view device_key) {
    const std::string tag = partition_tag(identity::partition_of(device_key));
    return "dev:" + tag + ":i:" + std::to_string(index_hash(device_key));
}

}  // namespace lanyard::registry
