#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace grpc {
class Channel;
}

namespace lanyard::rpc {

inline constexpr std::size_t kStreamWindowBytes = std::size_t{1} << 20;

struct ChannelConfig {
    std::size_t message_bytes_max = 4 << 20;
    std::chrono::milliseconds keepalive{20000};
    std::chrono::milliseconds connect_timeout{5000};  // of one attempt, up to the server's first frame
    std::chrono::milliseconds backoff_min{50};        // between attempts
    std::chrono::milliseconds backoff_max{2000};
    // What the server may send of one call before it is read here; bounds what calls that are not read pile up, at the
    // price of throughput over long distances. gRPC's own estimate goes up to many MiB, and its probes are pings that
    // wake both ends for messages that would fit anyway.
    std::size_t stream_window_bytes = kStreamWindowBytes;
};

// One channel with a connection of its own: keepalive, quick reconnects, round robin over the addresses of a
// dns:/// name. Connects lazily.
[[nodiscard]] std::shared_ptr<grpc::Channel> make_channel(const std::string& target, const ChannelConfig& config = {});

// Channels by target, for calls to many peers (the ingress pods). The least recently used one goes when there
// are more than `size_max`; calls that run on it finish. Thread-safe.
class ChannelPool {
  public:
    explicit ChannelPool(ChannelConfig config = {}, std::size_t size_max = 1024);
    [[nodiscard]] std::shared_ptr<grpc::Channel> get(const std::string& target);
    void drop(const std::string& target);
    [[nodiscard]] std::size_t size() const;

  private:
    struct Entry {
        std::shared_ptr<grpc::Channel> channel;
        std::size_t used = 0;
    };
    ChannelConfig config_;
    std::size_t size_max_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
    std::size_t clock_ = 0;
};

}  // namespace lanyard::rpc
