#pragma once

#include <string>
#include <utility>
#include <vector>

#include "redis/client.hpp"
#include "registry/device_store.hpp"
#include "registry/executor.hpp"

namespace lanyard::registry {

// The callback of a command: converts its reply on the client's thread and hands the result to the loop.
template <class T, class Convert>
redis::ReplyCallback deliver(const Executor& executor, Done<T> done, Convert convert) {
    return [executor, done = std::move(done), convert = std::move(convert)](Result<redis::Reply> reply) mutable {
        Result<T> result = reply ? convert(*reply) : Result<T>(reply.error());
        executor([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
    };
}

// A Status of redis_scripts.hpp as an error.
[[nodiscard]] Result<void> check_status(std::int64_t status);
// {status, ...} as an error; ok when the status is 0.
[[nodiscard]] Result<void> check_status(const redis::Reply& reply);
// {0, sequence, raw, pledge, last seen, was registered, former node, former shard} of a device in `partition`.
[[nodiscard]] Result<Change> to_change(std::uint32_t partition, const redis::Reply& reply);
[[nodiscard]] Result<DeviceRecord> to_record(std::uint32_t partition, const redis::Reply& reply);
// {next, (sequence, raw, pledge, last seen)*}. Records that are unreadable are left out.
[[nodiscard]] Result<DevicePage> to_page(std::uint32_t partition, const redis::Reply& reply);

// "{p7}".
[[nodiscard]] std::string partition_tag(std::uint32_t partition);
// The counter of a partition's sequences, from its tag: "reg:{p7}:seq".
[[nodiscard]] std::string sequence_key(const std::string& tag);
// Which of its partition's index hashes holds a key.
[[nodiscard]] std::uint8_t index_hash(std::string_view device_key);
// The index hash that holds a key: "dev:{p7}:i:12".
[[nodiscard]] std::string index_key(std::string_view device_key);

}  // namespace lanyard::registry
