#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lanyard::rpc {

// A batch message is a protobuf message with a repeated field of items, named items, commands, requests or
// results. It may have other fields (a hello): they travel in messages of their own.
template <class Batch>
auto& items_of(Batch& batch) {
    if constexpr (requires { batch.mutable_items(); }) {
        return *batch.mutable_items();
    } else if constexpr (requires { batch.mutable_commands(); }) {
        return *batch.mutable_commands();
    } else if constexpr (requires { batch.mutable_requests(); }) {
        return *batch.mutable_requests();
    } else {
        return *batch.mutable_results();
    }
}
template <class Batch>
using ItemOf = typename std::remove_cvref_t<decltype(items_of(std::declval<Batch&>()))>::value_type;

struct BatchStreamConfig {
    std::size_t batch_max = 256;                         // items in one message
    std::size_t batch_bytes_max = std::size_t{1} << 20;  // no further item after so many bytes
    std::size_t queue_max = 16384;                       // items waiting to be written
    std::chrono::milliseconds backoff_min{50};
    std::chrono::milliseconds backoff_max{2000};
    std::chrono::milliseconds connect_timeout{5000};  // for the peer's first sign of life
};

// Moves items from the queue into the batch. The bound of the bytes keeps a message of many great items below what the
// peer takes (message_bytes_max): a greater one would end the stream, also when it is sent again.
template <class Batch>
void fill_batch(Batch& batch, std::deque<ItemOf<Batch>>& queue, const BatchStreamConfig& config) {
    auto& items = items_of(batch);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < config.batch_max && bytes < config.batch_bytes_max && !queue.empty(); ++i) {
        bytes += queue.front().ByteSizeLong();
        *items.Add() = std::move(queue.front());
        queue.pop_front();
    }
}

enum class StreamState : std::uint8_t { connecting, ready, down, stopped };
std::string_view to_string(StreamState state);

}  // namespace lanyard::rpc
