#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/hash.hpp"
#include "lanyard/registry/v1/device.grpc.pb.h"
#include "node_names.hpp"
#include "registry/config.hpp"
#include "registry/device_store.hpp"
#include "registry/executor.hpp"
#include "telemetry/log.hpp"

namespace lanyard::registry {

// The streams of WatchDevices: each has a thread that writes a snapshot out of the store and then follows the
// device-state topic with a consumer of its own. Any thread.
class WatchHub {
  public:
    WatchHub(DeviceStore& store, NodeNames& nodes, Executor executor, const Config& config, const SipKey& key,
             const telemetry::Logger& log, std::function<void()> cut);
    // stop().
    ~WatchHub();

    [[nodiscard]] grpc::ServerWriteReactor<v1::WatchDevicesResponse>* open(grpc::CallbackServerContext* context,
                                                                           const v1::WatchDevicesRequest& request);
    // Ends all streams with UNAVAILABLE and waits for their threads, which takes at most WatchConfig::write_deadline.
    void stop();
    [[nodiscard]] std::size_t streams() const { return open_; }

  private:
    class Stream;

    DeviceStore& store_;
    NodeNames& nodes_;
    const Executor executor_;
    const Config& config_;
    const SipKey key_;
    const telemetry::Logger& log_;
    const std::function<void()> cut_;  // told of each stream that is cut; any thread
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> open_{0};
    std::mutex mutex_;
    std::list<std::shared_ptr<Stream>> streams_;
};

// WatchDevices; UNAVAILABLE without a hub.
[[nodiscard]] grpc::ServerWriteReactor<v1::WatchDevicesResponse>* watch_devices(WatchHub* hub,
                                                                                grpc::CallbackServerContext* context,
                                                                                const v1::WatchDevicesRequest& request);

}  // namespace lanyard::registry
