#include "partitions.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace lanyard::observation {
namespace {

// Ticket: foreign flag (1 bit), epoch (11), partition (14), slot (38).
constexpr unsigned kSlotBits = 38;
constexpr unsigned kPartitionBits = 14;
constexpr std::uint16_t kEpochMask = 0x7ff;

}  // namespace

void Partitions::assign(std::span<const kafka::TopicOffset> partitions) {
    for (const auto& p : partitions) {
        LANYARD_ASSERT(p.partition >= 0 && p.partition < (1 << kPartitionBits));
        Entry entry;
        entry.epoch = next_epoch_;
        next_epoch_ = static_cast<std::uint16_t>((next_epoch_ + 1) & kEpochMask);
        entries_.insert_or_assign(p.partition, std::move(entry));
    }
}

void Partitions::remove(std::span<const kafka::TopicOffset> partitions) {
    for (const auto& p : partitions) entries_.erase(p.partition);
}

Partitions::Ticket Partitions::take(std::int32_t partition, std::int64_t offset) {
    Entry& entry = entries_.at(partition);
    entry.position = offset + 1;
    const Watermark::Slot slot = entry.watermark.take(offset);
    return std::uint64_t{entry.epoch} << (kSlotBits + kPartitionBits) |
           static_cast<std::uint64_t>(partition) << kSlotBits | slot;
}

Partitions::Entry* Partitions::find(Ticket ticket, Watermark::Slot& slot) {
    if ((ticket & kForeign) != 0) return nullptr;
    slot = ticket & ((std::uint64_t{1} << kSlotBits) - 1);
    const auto partition = static_cast<std::int32_t>((ticket >> kSlotBits) & ((1U << kPartitionBits) - 1));
    const auto found = entries_.find(partition);
    if (found == entries_.end() || found->second.epoch != ticket >> (kSlotBits + kPartitionBits)) return nullptr;
    return &found->second;
}

void Partitions::add(Ticket ticket) {
    Watermark::Slot slot = 0;
    if (Entry* entry = find(ticket, slot)) entry->watermark.add(slot);
}

void Partitions::done(Ticket ticket) {
    Watermark::Slot slot = 0;
    if (Entry* entry = find(ticket, slot)) entry->watermark.done(slot);
}

std::vector<kafka::TopicOffset> Partitions::to_commit() {
    std::vector<kafka::TopicOffset> out;
    for (auto& [partition, entry] : entries_) {
        const auto next = entry.watermark.next_offset();
        if (!next || *next <= entry.committed) continue;
        entry.committed = *next;
        out.push_back({topic_, partition, *next});
    }
    return out;
}

void Partitions::commit_failed() {
    for (auto& [partition, entry] : entries_) entry.committed = -1;
}

std::vector<kafka::TopicOffset> Partitions::rewind() {
    std::vector<kafka::TopicOffset> out;
    for (auto& [partition, entry] : entries_) {
        const auto oldest = entry.watermark.oldest();
        if (!oldest) continue;
        out.push_back({topic_, partition, *oldest});
    }
    assign(out);
    return out;
}

std::size_t Partitions::open() const {
    std::size_t sum = 0;
    for (const auto& [partition, entry] : entries_) sum += entry.watermark.open();
    return sum;
}

bool Partitions::settled(std::span<const kafka::TopicOffset> partitions) const {
    return std::all_of(partitions.begin(), partitions.end(), [&](const auto& p) {
        const auto found = entries_.find(p.partition);
        return found == entries_.end() || found->second.watermark.open() == 0;
    });
}

std::map<std::int32_t, std::int64_t> Partitions::positions() const {
    std::map<std::int32_t, std::int64_t> out;
    for (const auto& [partition, entry] : entries_) {
        if (entry.position >= 0) out.emplace(partition, entry.position);
    }
    return out;
}

}  // namespace lanyard::observation
