#include "rpc/channel_pool.hpp"

#include <algorithm>

#include <grpcpp/grpcpp.h>

#include "prepare_grpc.hpp"

namespace lanyard::rpc {

std::shared_ptr<grpc::Channel> make_channel(const std::string& target, const ChannelConfig& config) {
    prepare_grpc();
    grpc::ChannelArguments arguments;
    const auto ms = [](std::chrono::milliseconds value) { return static_cast<int>(value.count()); };
    arguments.SetMaxReceiveMessageSize(static_cast<int>(config.message_bytes_max));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ms(config.keepalive));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
    // Despite its name this is the least time that gRPC gives an attempt.
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ms(config.connect_timeout));
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, ms(config.backoff_min));
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ms(config.backoff_max));
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, static_cast<int>(config.stream_window_bytes));
    arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
    // A connection of its own, not one shared with every channel of the process to the same address.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetLoadBalancingPolicyName("round_robin");
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

ChannelPool::ChannelPool(ChannelConfig config, std::size_t size_max)
    : config_(config), size_max_(std::max<std::size_t>(size_max, 1)) {}

std::shared_ptr<grpc::Channel> ChannelPool::get(const std::string& target) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[target];
    entry.used = ++clock_;
    if (entry.channel) return entry.channel;
    auto made = entry.channel = make_channel(target, config_);
    if (entries_.size() > size_max_) {
        entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    return made;
}

void ChannelPool::drop(const std::string& target) {
    const std::lock_guard lock(mutex_);
    entries_.erase(target);
}

std::size_t ChannelPool::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace lanyard::rpc
