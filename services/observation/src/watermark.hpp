#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace lanyard::observation {

// The offset of one partition up to which everything is done: what may be committed, however the work in between
// finishes out of order. Not thread-safe.
//
// Use: take() a slot for each record read, in order; add() what is pending for it; done() for each of them; close()
// when nothing more will be added. A record without pending work is done when it is closed.
class Watermark {
  public:
    using Slot = std::uint64_t;

    Slot take(std::int64_t offset) {
        slots_.push_back({offset, 1});
        return first_ + slots_.size() - 1;
    }
    void add(Slot slot) { ++at(slot).pending; }
    void done(Slot slot);
    // The reader's own share.
    void close(Slot slot) { done(slot); }

    // The offset to read next, once something is done; it never goes back.
    [[nodiscard]] std::optional<std::int64_t> next_offset() const { return next_offset_; }
    // Records taken and not done, or done behind one that is not.
    [[nodiscard]] std::size_t open() const { return slots_.size(); }
    // The offset of the oldest record that is not done.
    [[nodiscard]] std::optional<std::int64_t> oldest() const {
        return slots_.empty() ? std::nullopt : std::optional(slots_.front().offset);
    }

  private:
    struct Entry {
        std::int64_t offset = 0;
        std::uint32_t pending = 0;
    };
    Entry& at(Slot slot) { return slots_[static_cast<std::size_t>(slot - first_)]; }

    std::deque<Entry> slots_;
    Slot first_ = 0;
    std::optional<std::int64_t> next_offset_;
};

}  // namespace lanyard::observation
