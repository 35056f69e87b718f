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

DownlinkRouter::DownlinkRouter(DeviceStore& store, IngressLinks& links, const Config& config, Executor executor,
                               Clock clock)
    : store_(store),
      links_(links),
      config_(config),
      executor_(std::move(executor)),
      clock_(std::move(clock)),
      learnt_(kSpecs) {
    links_.set_events({.result = [this](DownlinkResult&& result) { on_result(std::move(result)); },
                       .failed = [this](std::uint64_t id, const std::string& reason) { on_failed(id, reason); }});
}

void DownlinkRouter::route(DownlinkRequest request, Answer answer) {
    using std::chrono::milliseconds;
    const Duration asked =
        request.timeout_ms() == 0 ? config_.downlink.default_timeout : Duration(milliseconds(request.timeout_ms()));
    const Duration timeout = std::min(asked, config_.downlink.max_timeout);
    const bool hinted = request.device_number() != 0 && request.owner().node() != 0;
    const std::uint64_t caller_id = request.id();
    learn(request.request());
    Flight flight{std::move(request), std::move(answer), clock_().steady + timeout, {}, caller_id, false};
    std::optional<Refusal> refusal;
    std::uint64_t id = 0;
    {
        const std::lock_guard lock(mutex_);
        refusal = admit(flight.request);
        id = ++last_id_;
        flight.request.set_id(id);
        flights_.emplace(id, std::move(flight));
    }
    if (refusal) return finish(id, *refusal);
    if (hinted) return find_node(id);
    look_up(id);
}

// Under the mutex.
std::optional<DownlinkRouter::Refusal> DownlinkRouter::admit(const DownlinkRequest& request) const {
    if (closed_) return Refusal{DownlinkResult::OUTCOME_UNAVAILABLE, "the registry is draining"};
    if (flights_.size() >= config_.downlink.in_flight_max) {
        return Refusal{DownlinkResult::OUTCOME_OVERLOADED, "too many requests to devices are waiting"};
    }
    const bool named = request.device_number() != 0 || !request.endpoint().empty();
    if (named && request.has_request()) return std::nullopt;
    return Refusal{DownlinkResult::OUTCOME_INVALID, "device or request is missing"};
}

void DownlinkRouter::learn(const internal::v1::CoapRequest& request) {
    if (!request.has_observe() || request.observe() != 0) return;
    const auto token = identity::parse_observation_token(as_bytes(request.token()));
    if (!token) return;
    {
        const std::lock_guard lock(mutex_);
        if (learnt_[token->spec]) return;
        learnt_[token->spec] = true;
    }
    internal::v1::CoapRequest observed = request;
    observed.clear_token();
    observed.clear_observe();
    observed.clear_accept();
    keep_observed(token->spec, observed.SerializeAsString());
}

void DownlinkRouter::keep_observed(std::uint16_t spec, std::string request) {
    executor_([this, spec, request = std::move(request)]() mutable {
        store_.keep_observed(spec, std::move(request), [this, spec](Result<void> stored) {
            if (stored) return;
            const std::lock_guard lock(mutex_);
            learnt_[spec] = false;  // with the next Observe again
        });
    });
}

void DownlinkRouter::look_up(std::uint64_t id) {
    identity::DeviceNumber number;
    identity::DeviceName name;
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        const DownlinkRequest& request = found->second.request;
        number = identity::DeviceNumber{request.device_number()};
        name = identity::DeviceName{request.tenant(), request.endpoint()};
    }
    Done<DeviceRecord> done = [this, id](Result<DeviceRecord> device) { on_device(id, std::move(device)); };
    if (number.value != 0) return store_.find(number, std::move(done));
    store_.find(std::move(name), std::move(done));
}

void DownlinkRouter::on_device(std::uint64_t id, Result<DeviceRecord> device) {
    std::optional<Refusal> refusal;
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        DownlinkRequest& request = found->second.request;
        refusal = refusal_of(request, device);
        if (!refusal) {
            request.set_device_number(device->number.value);
            request.mutable_owner()->set_node(device->node);
            request.mutable_owner()->set_shard(device->shard);
            request.mutable_owner()->set_epoch(device->epoch);
        }
    }
    if (refusal) return finish(id, *refusal);
    find_node(id);
}

std::optional<DownlinkRouter::Refusal> DownlinkRouter::refusal_of(const DownlinkRequest& request,
                                                                  const Result<DeviceRecord>& device) const {
    if (!device) {
        const bool unknown = device.error().code == Errc::not_found;
        return Refusal{unknown ? DownlinkResult::OUTCOME_UNKNOWN_DEVICE : DownlinkResult::OUTCOME_UNAVAILABLE,
                       device.error().message};
    }
    if (!device->registered || (request.generation() != 0 && request.generation() != device->generation)) {
        return Refusal{DownlinkResult::OUTCOME_OFFLINE, "the device is not registered"};
    }
    if (is_sleeping(*device, clock_().wall_ms, config_.awake_window)) {
        return Refusal{DownlinkResult::OUTCOME_SLEEPING, "the device is past its awake window"};
    }
    return std::nullopt;
}

void DownlinkRouter::find_node(std::uint64_t id) {
    std::uint32_t node = 0;
    std::string address;
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        node = found->second.request.owner().node();
        const auto cached = node_addresses_.find(node);
        if (cached != node_addresses_.end()) address = cached->second;
    }
    if (address.empty()) return ask_node(id, node);
    send(id, address);
}

// Its result is nobody's: no flight has its id.
void DownlinkRouter::fence(std::uint32_t node, identity::DeviceNumber device, std::uint32_t epoch) {
    DownlinkRequest request;
    request.set_device_number(device.value);
    request.mutable_owner()->set_node(node);
    request.mutable_owner()->set_epoch(epoch);
    request.set_fences(true);
    std::optional<std::string> address;
    {
        const std::lock_guard lock(mutex_);
        request.set_id(++last_id_);
        const auto cached = node_addresses_.find(node);
        if (cached != node_addresses_.end()) address = cached->second;
    }
    if (address) return send_fence(*address, std::move(request));
    executor_([this, node, request = std::move(request)]() mutable {
        store_.node(node, [this, request = std::move(request)](Result<Node> found) mutable {
            if (!found) return;
            keep_address(*found);
            send_fence(found->address, std::move(request));
        });
    });
}

// A node that was started anew has no address: its former life holds nothing.
void DownlinkRouter::send_fence(const std::string& address, DownlinkRequest request) {
    if (!address.empty()) links_.send(address, std::move(request));
}

void DownlinkRouter::keep_address(const Node& node) {
    const std::lock_guard lock(mutex_);
    if (node_addresses_.size() >= kNodeCacheMax) node_addresses_.clear();
    node_addresses_[node.number] = node.address;
}

void DownlinkRouter::ask_node(std::uint64_t id, std::uint32_t node) {
    executor_(
        [this, id, node] { store_.node(node, [this, id](Result<Node> found) { on_node(id, std::move(found)); }); });
}

void DownlinkRouter::on_node(std::uint64_t id, Result<Node> found) {
    if (!found) return on_failed(id, found.error().message);
    if (found->address.empty()) return on_failed(id, "the ingress of the device was started anew");
    keep_address(*found);
    send(id, found->address);
}

void DownlinkRouter::send(std::uint64_t id, const std::string& address) {
    DownlinkRequest request;
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        Flight& flight = found->second;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(flight.deadline - clock_().steady);
        flight.request.set_timeout_ms(static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 0)));
        flight.address = address;
        request = flight.request;
    }
    if (request.timeout_ms() == 0)
        return finish(id, {DownlinkResult::OUTCOME_TIMEOUT, "no time is left for the device"});
    links_.send(address, std::move(request));
}

void DownlinkRouter::on_result(DownlinkResult&& result) {
    const std::uint64_t id = result.id();
    if (result.outcome() == DownlinkResult::OUTCOME_NOT_OWNER) return try_again(id, "the device changes its ingress");
    finish(id, std::move(result));
}

// Its node may be somewhere else by now.
void DownlinkRouter::on_failed(std::uint64_t id, const std::string& reason) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        node_addresses_.erase(found->second.request.owner().node());
    }
    try_again(id, reason);
}

// Once more by a fresh look-up: a hint may be old, and a device may have moved meanwhile.
void DownlinkRouter::try_again(std::uint64_t id, const std::string& reason) {
    bool again = false;
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        again = !std::exchange(found->second.retried, true);
    }
    if (again) return look_up(id);
    finish(id, {DownlinkResult::OUTCOME_UNAVAILABLE, reason});
}

void DownlinkRouter::tick() {
    std::vector<std::pair<std::uint64_t, std::string>> overdue;
    {
        const SteadyTime now = clock_().steady;
        const std::lock_guard lock(mutex_);
        for (const auto& [id, flight] : flights_) {
            if (now >= flight.deadline + kSlack) overdue.emplace_back(id, flight.address);
        }
    }
    for (const auto& [id, address] : overdue) {
        links_.forget(address, id);
        finish(id, {DownlinkResult::OUTCOME_TIMEOUT, "no answer in time"});
    }
}

void DownlinkRouter::close() {
    std::vector<std::uint64_t> open;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& item : flights_) open.push_back(item.first);
    }
    for (const std::uint64_t id : open) finish(id, {DownlinkResult::OUTCOME_UNAVAILABLE, "the registry is draining"});
}

std::size_t DownlinkRouter::in_flight() const {
    const std::lock_guard lock(mutex_);
    return flights_.size();
}

void DownlinkRouter::finish(std::uint64_t id, const Refusal& refusal) {
    DownlinkResult result;
    result.set_outcome(refusal.outcome);
    result.set_message(refusal.message);
    finish(id, std::move(result));
}

void DownlinkRouter::finish(std::uint64_t id, DownlinkResult&& result) {
    Flight flight;
    {
        const std::lock_guard lock(mutex_);
        const auto found = flights_.find(id);
        if (found == flights_.end()) return;
        flight = std::move(found->second);
        flights_.erase(found);
    }
    result.set_id(flight.caller_id);
    flight.answer(std::move(result));
}

}  // namespace lanyard::registry
