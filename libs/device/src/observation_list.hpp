#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "coap/token.hpp"
#include "device/notify_rules.hpp"
#include "device/resource_tree.hpp"

namespace lanyard::device {

// The observations that a server has of one Client.
class ObservationList {
  public:
    struct Entry {
        std::uint64_t id = 0;  // never reused; the cookie of its notifications
        coap::Token token;
        lwm2m::Path path;
        std::optional<std::uint16_t> accept;
        std::uint32_t sequence = 1;  // the next Observe value
        std::uint16_t last_mid = 0;
        lwm2m::Records notified;
        lwm2m::Records previous;
        SteadyTime notified_at;
        bool due = false;
    };

    // Null when full. The same token takes the place of what it named before.
    Entry* add(const coap::Token& token, const lwm2m::Path& path, std::optional<std::uint16_t> accept);
    void remove_token(const coap::Token& token);
    void remove_id(std::uint64_t id);
    void remove_mid(std::uint16_t mid);
    void clear() { entries_.clear(); }
    [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    [[nodiscard]] Entry* find(std::uint64_t id);

    // Compares with what is in the tree now and marks what is due.
    static void look_at(Entry& entry, const ResourceTree& tree);
    // When it is to be notified, by pmin and pmax; nothing when only a change can tell.
    [[nodiscard]] static std::optional<SteadyTime> time_of(const Entry& entry, const ResourceTree& tree);

  private:
    std::vector<Entry> entries_;
    std::uint64_t next_id_ = 1;
};

}  // namespace lanyard::device
