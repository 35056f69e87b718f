#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/flat_map.hpp"
#include "base/time.hpp"

namespace lanyard::coap {

// Records by key, in the order of their last use: for state with a constant idle time, where the least recently used
// record is both the next to expire and the one to give up when a bound is reached. Records are named by small
// indices that stay until erase(); references only until the next insert(). Not thread-safe.
template <class Key, class Value, class Hash>
class LruPool {
  public:
    using Index = std::uint32_t;
    static constexpr Index kNone = 0xffffffff;

    explicit LruPool(Hash hash = {}) : index_(std::move(hash)) {}

    [[nodiscard]] std::size_t size() const { return index_.size(); }
    [[nodiscard]] Index find(const Key& key) const {
        const Index* found = index_.find(key);
        return found == nullptr ? kNone : *found;
    }
    [[nodiscard]] Value& operator[](Index at) { return slots_[at].value; }
    [[nodiscard]] const Key& key(Index at) const { return slots_[at].key; }
    [[nodiscard]] SteadyTime used(Index at) const { return slots_[at].used; }
    // kNone if empty.
    [[nodiscard]] Index oldest() const { return oldest_; }
    // The one used next after `at`, for walks from the oldest on.
    [[nodiscard]] Index newer(Index at) const { return slots_[at].newer; }

    // There must be no such key.
    Index insert(const Key& key, SteadyTime now) {
        Index at = free_;
        if (at == kNone) {
            at = static_cast<Index>(slots_.size());
            slots_.emplace_back();
        } else {
            free_ = slots_[at].newer;
        }
        slots_[at].key = key;
        index_.try_emplace(key, at);
        append(at, now);
        return at;
    }
    void touch(Index at, SteadyTime now) {
        if (newest_ != at) {
            detach(at);
            append(at, now);
        }
        slots_[at].used = now;
    }
    void erase(Index at) {
        index_.erase(slots_[at].key);
        detach(at);
        slots_[at].value = Value{};
        slots_[at].newer = free_;
        free_ = at;
    }
    // There must be no record with the new key.
    void rename(Index at, const Key& key) {
        index_.erase(slots_[at].key);
        slots_[at].key = key;
        index_.try_emplace(key, at);
    }

  private:
    struct Slot {
        Key key{};
        SteadyTime used;
        Index older = kNone;
        Index newer = kNone;
        Value value{};
    };

    void append(Index at, SteadyTime now) {
        Slot& slot = slots_[at];
        slot.used = now;
        slot.older = newest_;
        slot.newer = kNone;
        (newest_ == kNone ? oldest_ : slots_[newest_].newer) = at;
        newest_ = at;
    }
    void detach(Index at) {
        const Slot& slot = slots_[at];
        (slot.older == kNone ? oldest_ : slots_[slot.older].newer) = slot.newer;
        (slot.newer == kNone ? newest_ : slots_[slot.newer].older) = slot.older;
    }

    FlatMap<Key, Index, Hash> index_;
    std::vector<Slot> slots_;
    Index oldest_ = kNone;
    Index newest_ = kNone;
    Index free_ = kNone;
};

}  // namespace lanyard::coap
