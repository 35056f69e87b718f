#include "dedup_table.hpp"

#include <algorithm>
#include <bit>

#include "base/assert.hpp"

namespace lanyard::coap {
namespace {

constexpr std::size_t kInitialEntries = 64;
constexpr std::size_t kMaxEntries = std::size_t{1} << 30;

}  // namespace

DedupTable::DedupTable(std::size_t capacity, std::uint64_t seed)
    : peer_hash_{seed}, capacity_(std::bit_ceil(std::clamp(capacity, std::size_t{1}, kMaxEntries))) {
    const std::size_t initial = std::min(capacity_, kInitialEntries);
    ring_.resize(initial);
    cells_.resize(initial * 2);
    mask_ = initial - 1;
}

DedupEntry* DedupTable::find(const Key& key) {
    const std::size_t cell_mask = cells_.size() - 1;
    for (std::size_t i = key.hash & cell_mask; cells_[i].slot != 0; i = (i + 1) & cell_mask) {
        if (cells_[i].hash != key.hash) continue;
        DedupEntry& entry = ring_[(cells_[i].slot - 1) & mask_];
        if (entry.mid == key.mid && entry.listener == key.peer.listener && entry.address == key.peer.address) {
            return &entry;
        }
    }
    return nullptr;
}

std::uint64_t DedupTable::insert(const Key& key, std::uint32_t arrived_ms) {
    LANYARD_ASSERT(!full());
    if (size() == ring_.size()) grow();
    DedupEntry& entry = ring_[next_ & mask_];
    entry.address = key.peer.address;
    entry.listener = key.peer.listener;
    entry.mid = key.mid;
    entry.state = DedupState::ignored;
    entry.arrived_ms = arrived_ms;
    place({key.hash, slot_of(next_)});
    return next_++;
}

void DedupTable::place(Cell cell) {
    const std::size_t cell_mask = cells_.size() - 1;
    std::size_t i = cell.hash & cell_mask;
    while (cells_[i].slot != 0) i = (i + 1) & cell_mask;
    cells_[i] = cell;
}

void DedupTable::grow() {
    std::vector<DedupEntry> ring(ring_.size() * 2);
    const std::uint64_t mask = ring.size() - 1;
    for (std::uint64_t i = oldest_; i != next_; ++i) ring[i & mask] = ring_[i & mask_];
    ring_.swap(ring);
    mask_ = mask;
    std::vector<Cell> cells(cells_.size() * 2);
    cells_.swap(cells);
    for (const Cell& cell : cells) {
        if (cell.slot != 0) place(cell);
    }
}

void DedupTable::pop_oldest() {
    LANYARD_ASSERT(!empty());
    const DedupEntry& entry = ring_[oldest_ & mask_];
    const std::size_t cell_mask = cells_.size() - 1;
    const std::uint32_t slot = slot_of(oldest_);
    std::size_t hole = hash(entry.peer(), entry.mid) & cell_mask;
    while (cells_[hole].slot != slot) hole = (hole + 1) & cell_mask;
    // Backward shift: pull followers into the hole unless their home lies behind it.
    for (std::size_t i = (hole + 1) & cell_mask; cells_[i].slot != 0; i = (i + 1) & cell_mask) {
        const std::size_t home = cells_[i].hash & cell_mask;
        if (((i - home) & cell_mask) < ((i - hole) & cell_mask)) continue;
        cells_[hole] = cells_[i];
        hole = i;
    }
    cells_[hole] = {};
    ++oldest_;
}

}  // namespace lanyard::coap
