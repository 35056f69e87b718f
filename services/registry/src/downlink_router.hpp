#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "ingress_links.hpp"
#include "lanyard/internal/v1/downlink.pb.h"
#include "registry/config.hpp"
#include "registry/device_store.hpp"
#include "registry/executor.hpp"

namespace lanyard::registry {

// Queue mode: whether the device is surely past its awake window. The stored last sign of life may be as old as
// kSeenRefresh; in that time the ingress decides, which knows it exactly.
inline constexpr Duration kSeenRefresh = std::chrono::seconds(30);
[[nodiscard]] bool is_sleeping(const DeviceRecord& device, UnixMillis now_ms, Duration awake_window);

// Finds the owner of a device's session and passes requests on to it. An owner hint saves the look-up; a wrong one
// (NOT_OWNER, or its ingress is gone) costs one look-up, once. Each request is answered by its deadline.
//
// Any thread: a request goes on, and its answer goes back, on the thread that brings the news, since each way through
// the loop would be a wake-up in the latency of every operation. Before it is destroyed the links are closed and the
// store is stopped.
class DownlinkRouter {
  public:
    using Answer = std::function<void(internal::v1::DownlinkResult&&)>;
    using Clock = std::function<Now()>;

    DownlinkRouter(DeviceStore& store, IngressLinks& links, const Config& config, Executor executor, Clock clock);
    DownlinkRouter(const DownlinkRouter&) = delete;
    DownlinkRouter& operator=(const DownlinkRouter&) = delete;

    // Answers once, with the request's id; maybe before it returns. timeout_ms 0 takes the default.
    void route(internal::v1::DownlinkRequest request, Answer answer);
    // Tells a node that it has lost a device's session to an owner with this epoch, as far as the node can be reached.
    void fence(std::uint32_t node, identity::DeviceNumber device, std::uint32_t epoch);
    // To be called often: answers what is past its deadline.
    void tick();
    // For a drain: answers what is in flight, and everything from now on, with unavailable.
    void close();
    [[nodiscard]] std::size_t in_flight() const;

  private:
    struct Flight {
        internal::v1::DownlinkRequest request;
        Answer answer;
        SteadyTime deadline;
        std::string address;
        std::uint64_t caller_id = 0;
        bool retried = false;
    };
    struct Refusal {
        internal::v1::DownlinkResult::Outcome outcome;
        std::string message;
    };

    [[nodiscard]] std::optional<Refusal> admit(const internal::v1::DownlinkRequest& request) const;
    // Keeps what an Observe asks for, so that any ingress can fetch the rest of its notifications (Resolve).
    void learn(const internal::v1::CoapRequest& request);
    void keep_observed(std::uint16_t spec, std::string request);
    void look_up(std::uint64_t id);
    void on_device(std::uint64_t id, Result<DeviceRecord> device);
    [[nodiscard]] std::optional<Refusal> refusal_of(const internal::v1::DownlinkRequest& request,
                                                    const Result<DeviceRecord>& device) const;
    void find_node(std::uint64_t id);
    void ask_node(std::uint64_t id, std::uint32_t node);
    void on_node(std::uint64_t id, Result<Node> found);
    void keep_address(const Node& node);
    void send_fence(const std::string& address, internal::v1::DownlinkRequest request);
    void send(std::uint64_t id, const std::string& address);
    void on_result(internal::v1::DownlinkResult&& result);
    void on_failed(std::uint64_t id, const std::string& reason);
    void try_again(std::uint64_t id, const std::string& reason);
    void finish(std::uint64_t id, const Refusal& refusal);
    void finish(std::uint64_t id, internal::v1::DownlinkResult&& result);

    DeviceStore& store_;
    IngressLinks& links_;
    const Config& config_;
    const Executor executor_;
    const Clock clock_;

    // Guards what follows; never held while another part is called.
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, Flight> flights_;
    std::unordered_map<std::uint32_t, std::string> node_addresses_;  // empty: started anew since
    std::vector<bool> learnt_;                                       // by spec number: stored, or about to be
    std::uint64_t last_id_ = 0;
    bool closed_ = false;
};

}  // namespace lanyard::registry
