#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "identity/device_number.hpp"
#include "identity/resource_name.hpp"
#include "redis/callback.hpp"
#include "registry/device_record.hpp"

namespace lanyard::registry {

// Called once, on the service's event loop, after the call that took it has returned, unless the method says otherwise.
template <class T>
using Done = redis::Callback<Result<T>>;

struct RegisterCommand {
    identity::DeviceName name;
    std::uint32_t lifetime_s = 0;
    bool queue_mode = false;
    RegistrationInfo registration;
    std::uint32_t node = 0;
    std::uint16_t shard = 0;
    bool auto_create = false;
    UnixMillis now_ms = 0;
};

// Unset fields stay.
struct UpdateCommand {
    identity::DeviceNumber device;
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;
    std::optional<std::uint32_t> lifetime_s;
    std::optional<std::string> binding;
    std::optional<bool> queue_mode;
    std::optional<std::string> sms_number;
    std::optional<std::string> object_links;
    std::optional<std::string> remote_address;
    UnixMillis now_ms = 0;

    // Something that a consumer of events wants to know.
    [[nodiscard]] bool changes_anything() const {
        return lifetime_s || binding || queue_mode || sms_number || object_links;
    }
};

struct DeregisterCommand {
    identity::DeviceNumber device;
    std::uint32_t generation = 0;  // 0: whichever it is
    UnixMillis now_ms = 0;
    std::string tenant{};            // that the device must belong to; empty: any
    std::string required_address{};  // that it must be registered from; empty: any
};

struct AdoptCommand {
    identity::DeviceNumber device;
    std::uint32_t generation = 0;  // 0: whichever it is
    std::string remote_address;
    std::uint32_t node = 0;
    std::uint16_t shard = 0;
    UnixMillis now_ms = 0;
    std::string tenant{};       // that the device must belong to; empty: any
    bool same_address = false;  // the device must be registered from remote_address
};

struct TouchEntry {
    identity::DeviceNumber device;
    std::uint32_t pledge_s = 0;
    std::uint32_t last_seen_s = 0;
};

struct ExpireEntry {
    identity::DeviceNumber device;
    std::uint32_t epoch = 0;
};

// The device after a change of its registration, and who owned it before.
struct Change {
    DeviceRecord device;
    bool was_registered = false;
    std::uint32_t former_node = 0;
    std::uint16_t former_shard = 0;
};

// What a Register came to. The rest of the device's registration is as the command says.
struct Registered {
    identity::DeviceNumber device;
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;
    std::uint32_t pledge_s = 0;
    bool was_registered = false;
    std::uint32_t former_node = 0;
    std::uint16_t former_shard = 0;
};

struct CreateCommand {
    identity::DeviceName name;
    DeviceProfile profile;
    bool enabled = true;
    UnixMillis now_ms = 0;
};

struct ModifyCommand {
    identity::DeviceName name;
    std::optional<std::uint32_t> revision;  // must match when set
    std::optional<std::string> display_name;
    std::optional<std::map<std::string, std::string>> labels;
    std::optional<bool> enabled;
    UnixMillis now_ms = 0;
};

struct RemoveCommand {
    identity::DeviceName name;
    std::optional<std::uint32_t> revision;
    UnixMillis now_ms = 0;
};

struct ExpiryProgress {
    std::size_t expired = 0;
    bool more = false;              // call again at once
    std::chrono::seconds quiet{0};  // nothing falls due before that much time has passed
};

struct DevicePage {
    std::vector<DeviceRecord> devices;
    std::uint32_t next = 0;  // `after` of the next page; 0: there is none
};

// A store may keep events in groups, each with one element more than it has events.
struct OutboxPage {
    std::vector<OutboxEntry> entries;
    std::size_t elements = 0;    // read, what trim takes off
    std::size_t depth = 0;       // elements in the outbox
    std::size_t unreadable = 0;  // elements or events that could not be decoded
};

struct Node {
    std::uint32_t number = 0;
    std::string instance;
    std::string address;  // of its DownlinkService
};

// Which replicas live, sorted, and whether the one that asks was among them before.
struct Heartbeat {
    std::vector<std::string> live;
    bool was_known = false;
};

// expire_due finds something new only when another such step of Unix time has begun.
inline constexpr std::int64_t kExpiryStepSeconds = 1;

struct Counts {
    std::int64_t devices = 0;
    std::int64_t registered = 0;
};

// Bounds of a store.
struct StoreLimits {
    // Elements of one partition's outbox, a few more than its events, that may wait to be published. Above it nothing
    // that writes another one is taken but the end of a registration, so there are at most as many more as there are
    // registered devices.
    std::uint32_t outbox_depth_max = 32768;
};

// Where devices and registrations live. Every change is atomic together with its outbox entry.
//
// Methods are called on the service's event loop, get() and find() on any thread; results come on the loop, those of
// find() on any thread. Errors: unavailable and deadline_exceeded when the store does not answer (whether the change
// took effect is then unknown), resource_exhausted when too much waits; others as said.
class DeviceStore {
  public:
    virtual ~DeviceStore() = default;

    // permission_denied: the device is disabled, or unknown and auto_create is off; unavailable: above
    // StoreLimits::outbox_depth_max, here and for update() with news, create() and modify().
    virtual void register_device(RegisterCommand command, Done<Registered> done) = 0;
    // not_found: not registered in this generation; failed_precondition: another owner has a newer epoch.
    virtual void update(UpdateCommand command, Done<Change> done) = 0;
    // not_found.
    virtual void deregister(DeregisterCommand command, Done<Change> done) = 0;
    // Raises the epoch; no lifecycle event. not_found.
    virtual void adopt(AdoptCommand command, Done<Change> done) = 0;
    // Sets pledges and last-seen times; no lifecycle event. Unknown devices are ignored.
    virtual void touch(std::vector<TouchEntry> entries, Done<void> done) = 0;
    // Ends the registrations whose epoch is the given one; gives their number.
    virtual void expire(std::vector<ExpireEntry> entries, UnixMillis now_ms, Done<std::size_t> done) = 0;
    // Ends registrations of one partition whose pledge has passed, looking at `max` devices.
    virtual void expire_due(std::uint32_t partition, UnixMillis now_ms, std::size_t max, Done<ExpiryProgress> done) = 0;

    // not_found.
    virtual void get(identity::DeviceName name, Done<DeviceRecord> done) = 0;
    virtual void get(identity::DeviceNumber number, Done<DeviceRecord> done) = 0;
    // As get(), without a way over the loop: for what somebody waits for.
    virtual void find(identity::DeviceName name, Done<DeviceRecord> done) = 0;
    virtual void find(identity::DeviceNumber number, Done<DeviceRecord> done) = 0;
    // One element for each name, in order.
    virtual void get_many(std::vector<identity::DeviceName> names,
                          Done<std::vector<std::optional<DeviceRecord>>> done) = 0;
    // Devices of one partition in the order of their sequence numbers, which are above `after`. A page may hold
    // fewer than `max` and still have a next one.
    virtual void list(std::uint32_t partition, std::uint32_t after, std::size_t max, Done<DevicePage> done) = 0;

    // already_exists.
    virtual void create(CreateCommand command, Done<DeviceRecord> done) = 0;
    // not_found; aborted: the revision does not match.
    virtual void modify(ModifyCommand command, Done<DeviceRecord> done) = 0;
    // Gives what was removed. not_found; aborted.
    virtual void remove(RemoveCommand command, Done<DeviceRecord> done) = 0;

    // The oldest events, about `max` at most: a group is never split (up to 127 more). At most one event of each
    // device.
    virtual void outbox_read(std::uint32_t partition, std::size_t max, Done<OutboxPage> done) = 0;
    // Takes off the oldest `count` elements. failed_precondition: `owner` does not hold the lease.
    virtual void outbox_trim(std::uint32_t partition, std::string owner, std::size_t count, Done<void> done) = 0;

    // Gives the holder of the lease, which is now `owner` when it was free, its own or held by `former`. A lease has
    // no end of its own: it is good as long as its holder is live by heartbeat().
    virtual void take_lease(std::uint32_t partition, std::string owner, std::string former, Done<std::string> done) = 0;
    virtual void release_lease(std::uint32_t partition, std::string owner, Done<void> done) = 0;
    // Says that a replica lives. Forgets those that did not say so for `ttl`, by the store's clock.
    virtual void heartbeat(std::string replica, std::chrono::milliseconds ttl, Done<Heartbeat> done) = 0;
    virtual void retire(std::string replica, Done<void> done) = 0;

    // Hints from replica to replica: these partitions have something new in their outbox.
    virtual void mark_changed(std::vector<std::uint32_t> partitions, Done<void> done) = 0;
    virtual void changed(Done<std::vector<std::uint32_t>> done) = 0;
    // To be called before the outboxes are read, so that no hint is lost.
    virtual void clear_changed(std::vector<std::uint32_t> partitions, Done<void> done) = 0;

    // Keeps the number when node.number is known for node.instance, else gives a new one, never used before. The
    // former life of the instance keeps its number and name, without an address; the one before it is forgotten.
    virtual void register_node(Node node, Done<std::uint32_t> done) = 0;
    // not_found.
    virtual void node(std::uint32_t number, Done<Node> done) = 0;

    // What observations with this spec number in their token ask for, encoded by the caller. The first value stays.
    virtual void keep_observed(std::uint16_t spec, std::string request, Done<void> done) = 0;
    // not_found.
    virtual void observed(std::uint16_t spec, Done<std::string> done) = 0;

    virtual void counts(std::uint32_t partition, Done<Counts> done) = 0;
    // Whether the store answers, as far as is known, and if not why. Any thread.
    [[nodiscard]] virtual Result<void> available() const = 0;
    // For the end: what waits fails with cancelled, and no result of find() comes later.
    virtual void stop() = 0;
};

}  // namespace lanyard::registry
