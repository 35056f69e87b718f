#pragma once

#include <string>

#include "registry/device_store.hpp"

namespace lanyard::registry::scripts {

// What the first element of a script's answer says.
enum Status : int { ok = 0, not_found = 1, forbidden = 2, stale = 3, exists = 4, aborted = 5, full = 6 };

// Lua sources. All of one device's or one partition's keys; ARGV[1] is the hash tag "{pN}", ARGV[2] the wall time
// in milliseconds. Answers about one device are {status, sequence, record, pledge, last seen, was registered,
// former node, former shard}.

// These write nothing while the outbox is full. The first takes the tag, then for each device what pack_register()
// makes, and gives one string of answers.
std::string register_devices(const StoreLimits& limits);
std::string update(
    const StoreLimits& limits);  // sequence, generation, epoch, lifetime, queue ("": stay), delta, changed
std::string create(const StoreLimits& limits);  // KEYS: index, seq · key, enabled, profile
std::string modify(const StoreLimits& limits);  // KEYS: index · key, revision, enabled, profile

std::string deregister();       // sequence, generation, tenant or "", remote address field or ""
std::string adopt();            // sequence, generation, node, shard, address field, tenant or "", must it be there
std::string expire();           // (sequence, epoch)*
std::string expire_due();       // KEYS: cur · max
std::string get_by_key();       // KEYS: index · key
std::string get_by_sequence();  // sequence
std::string list();             // KEYS: seq · after, max
std::string remove();           // KEYS: index · key, revision or ""
std::string trim();             // KEYS: lease, out · owner, count
std::string take_lease();       // KEYS: lease · owner, former; gives the holder
std::string release();          // KEYS: lease · owner
std::string heartbeat();        // KEYS: replicas · name, ttl; gives {1 when the name is new, live names...}
std::string register_node();    // KEYS: nodes · instance, address, number

}  // namespace lanyard::registry::scripts
