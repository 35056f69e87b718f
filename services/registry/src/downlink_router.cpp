#include "downlink_router.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "identity/observation_token.hpp"
#include "identity/resource_name.hpp"

namespace lanyard::registry {

using internal::v1::DownlinkRequest;
using internal::v1::DownlinkResult;

namespace {

// The ingress answers a timeout by itself; this is how much later it counts as lost.
constexpr auto kSlack = std::chrono::milliseconds(500);
constexpr std::size_t kNodeCacheMax = 4096;
constexpr std::size_t kSpecs = 65536;

}  // namespace

bool is_sleeping(const DeviceRecord& device, UnixMillis now_ms, Duration awake_window) {
    if (!device.registered || !device.queue_mode) return false;
    const auto window = std::chrono::duration_cast<std::chrono::milliseconds>(awake_window + kSeenRefresh).count();
    return now_ms - std::int64_t{device.last_seen_s} * 1000 > window;
}

DownlinkRouter::DownlinkRouter(DeviceStore& store, IngressLinks& links, const Config& config, Clock clock)
    : store_(store),
      links_(links),
      config_(config),
      clock_(std::move(clock)),
      learnt_(kSpecs),
      alive_(std::make_shared<DownlinkRouter*>(this)) {
    links_.set_events({.result = [this](DownlinkResult&& result) { on_result(std::move(result)); },
                       .failed = [this](std::uint64_t id, const std::string& reason) { on_failed(id, reason); }});
}

DownlinkRouter::~DownlinkRouter() {
    *alive_ = nullptr;
}

template <class T, class Call>
Done<T> DownlinkRouter::guarded(Call call) {
    return [alive = alive_, call](Result<T> result) mutable {
        if (*alive) call(**alive, std::move(result));
    };
}

void DownlinkRouter::route(DownlinkRequest request, Answer answer) {
    const std::uint64_t id = ++last_id_;
    using std::chrono::milliseconds;
    const Duration asked =
        request.timeout_ms() == 0 ? config_.downlink.default_timeout : Duration(milliseconds(request.timeout_ms()));
    const Duration timeout = std::min(asked, config_.downlink.max_timeout);
    Flight flight{std::move(request), std::move(answer), clock_().steady + timeout, {}, 0, false};
    flight.caller_id = flight.request.id();
    flight.request.set_id(id);
    const bool full = flights_.size() >= config_.downlink.in_flight_max;
    const auto& stored = flights_.emplace(id, std::move(flight)).first->second;
    if (closed_) return finish(id, DownlinkResult::OUTCOME_UNAVAILABLE, "the registry is draining");
    if (full) return finish(id, DownlinkResult::OUTCOME_OVERLOADED, "too many requests to devices are waiting");
    const bool named = stored.request.device_number() != 0 || !stored.request.endpoint().empty();
    if (!named || !stored.request.has_request()) {
        return finish(id, DownlinkResult::OUTCOME_INVALID, "device or request is missing");
    }
    learn(stored.request.request());
    if (stored.request.device_number() != 0 && stored.request.owner().node() != 0) return find_node(id);
    look_up(id);
}

void DownlinkRouter::learn(const internal::v1::CoapRequest& request) {
    if (!request.has_observe() || request.observe() != 0) return;
    const auto token = identity::parse_observation_token(as_bytes(request.token()));
    if (!token || learnt_[token->spec]) return;
    learnt_[token->spec] = true;
    internal::v1::CoapRequest observed = request;
    observed.clear_token();
    observed.clear_observe();
    observed.clear_accept();
    store_.keep_observed(token->spec, observed.SerializeAsString(),
                         guarded<void>([spec = token->spec](DownlinkRouter& self, Result<void> stored) {
                             if (!stored) self.learnt_[spec] = false;  // with the next Observe again
                         }));
}

void DownlinkRouter::look_up(std::uint64_t id) {
    Flight& flight = flights_.at(id);
    auto done = guarded<DeviceRecord>(
        [id](DownlinkRouter& self, Result<DeviceRecord> device) { self.on_device(id, std::move(device)); });
    if (flight.request.device_number() != 0) {
        return store_.get(identity::DeviceNumber{flight.request.device_number()}, std::move(done));
    }
    store_.get(identity::DeviceName{flight.request.tenant(), flight.request.endpoint()}, std::move(done));
}

void DownlinkRouter::on_device(std::uint64_t id, Result<DeviceRecord> device) {
    const auto found = flights_.find(id);
    if (found == flights_.end()) return;
    DownlinkRequest& request = found->second.request;
    if (!device) {
        const bool unknown = device.error().code == Errc::not_found;
        return finish(id, unknown ? DownlinkResult::OUTCOME_UNKNOWN_DEVICE : DownlinkResult::OUTCOME_UNAVAILABLE,
                      device.error().message);
    }
    if (!device->registered || (request.generation() != 0 && request.generation() != device->generation)) {
        return finish(id, DownlinkResult::OUTCOME_OFFLINE, "the device is not registered");
    }
    if (is_sleeping(*device, clock_().wall_ms, config_.awake_window)) {
        return finish(id, DownlinkResult::OUTCOME_SLEEPING, "the device is past its awake window");
    }
    request.set_device_number(device->number.value);
    request.mutable_owner()->set_node(device->node);
    request.mutable_owner()->set_shard(device->shard);
    request.mutable_owner()->set_epoch(device->epoch);
    find_node(id);
}

void DownlinkRouter::find_node(std::uint64_t id) {
    const std::uint32_t node = flights_.at(id).request.owner().node();
    const auto cached = node_addresses_.find(node);
    if (cached != node_addresses_.end()) return send(id, std::string(cached->second));
    store_.node(node, guarded<Node>([id, node](DownlinkRouter& self, Result<Node> found) {
                    if (!self.flights_.contains(id)) return;
                    if (!found) {
                        self.node_addresses_.erase(node);
                        return self.on_failed(id, found.error().message);
                    }
                    if (self.node_addresses_.size() >= kNodeCacheMax) self.node_addresses_.clear();
                    self.node_addresses_[node] = found->address;
                    self.send(id, found->address);
                }));
}

void DownlinkRouter::send(std::uint64_t id, const std::string& address) {
    Flight& flight = flights_.at(id);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(flight.deadline - clock_().steady).count();
    if (left <= 0) return finish(id, DownlinkResult::OUTCOME_TIMEOUT, "no time is left for the device");
    flight.request.set_timeout_ms(static_cast<std::uint32_t>(left));
    flight.address = address;
    links_.send(address, flight.request);
}

void DownlinkRouter::on_result(DownlinkResult&& result) {
    const std::uint64_t id = result.id();
    const auto found = flights_.find(id);
    if (found == flights_.end()) return;
    if (result.outcome() == DownlinkResult::OUTCOME_NOT_OWNER) return on_failed(id, "the device changes its ingress");
    finish(id, std::move(result));
}

// Once more by a fresh look-up: a hint may be old, and a device may have moved meanwhile.
void DownlinkRouter::on_failed(std::uint64_t id, const std::string& reason) {
    const auto found = flights_.find(id);
    if (found == flights_.end()) return;
    Flight& flight = found->second;
    node_addresses_.erase(flight.request.owner().node());
    if (std::exchange(flight.retried, true)) {
        return finish(id, DownlinkResult::OUTCOME_UNAVAILABLE, reason);
    }
    look_up(id);
}

void DownlinkRouter::tick() {
    const SteadyTime now = clock_().steady;
    std::vector<std::uint64_t> overdue;
    for (const auto& [id, flight] : flights_) {
        if (now >= flight.deadline + kSlack) overdue.push_back(id);
    }
    for (const std::uint64_t id : overdue) {
        links_.forget(flights_.at(id).address, id);
        finish(id, DownlinkResult::OUTCOME_TIMEOUT, "no answer in time");
    }
}

void DownlinkRouter::close() {
    closed_ = true;
    std::vector<std::uint64_t> open;
    for (const auto& item : flights_) open.push_back(item.first);
    for (const std::uint64_t id : open) finish(id, DownlinkResult::OUTCOME_UNAVAILABLE, "the registry is draining");
}

void DownlinkRouter::finish(std::uint64_t id, DownlinkResult::Outcome outcome, const std::string& message) {
    DownlinkResult result;
    result.set_outcome(outcome);
    result.set_message(message);
    finish(id, std::move(result));
}

void DownlinkRouter::finish(std::uint64_t id, DownlinkResult&& result) {
    const auto found = flights_.find(id);
    if (found == flights_.end()) return;
    Flight flight = std::move(found->second);
    flights_.erase(found);
    result.set_id(flight.caller_id);
    flight.answer(std::move(result));
}

}  // namespace lanyard::registry
