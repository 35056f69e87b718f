#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lanyard::rpc {

// A batch message is a protobuf message with `repeated Item items`. Names of its own go by a specialization.
template <class Batch>
struct BatchTraits {
    using Item = std::remove_cvref_t<decltype(std::declval<const Batch&>().items(0))>;
    static void add(Batch& batch, Item&& item) { *batch.add_items() = std::move(item); }
    static std::size_t size(const Batch& batch) { return static_cast<std::size_t>(batch.items_size()); }
};
template <class Batch>
using ItemOf = typename BatchTraits<Batch>::Item;

struct BatchStreamConfig {
    std::size_t batch_max = 256;    // items in one message
    std::size_t queue_max = 16384;  // items waiting to be written
    std::chrono::milliseconds backoff_min{50};
    std::chrono::milliseconds backoff_max{2000};
    std::chrono::milliseconds connect_timeout{5000};  // for the peer's first sign of life
};

enum class StreamState : std::uint8_t { connecting, ready, down, stopped };
std::string_view to_string(StreamState state);

}  // namespace lanyard::rpc
