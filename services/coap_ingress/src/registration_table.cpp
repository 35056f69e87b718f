#include "registration_table.hpp"

namespace lanyard::coap_ingress {

RegistrationTable::RegistrationTable(std::uint64_t seed) : hash_{seed}, heads_(64, kNone) {}

Device* RegistrationTable::find_by_peer(const coap::PeerId& peer, bool& ambiguous) {
    Device* found = nullptr;
    ambiguous = false;
    for (Slot slot = heads_[bucket_of(peer)]; slot != kNone; slot = at(slot).next_by_peer) {
        Device& device = at(slot);
        if (!(device.peer == peer)) continue;
        ambiguous = found != nullptr;
        if (ambiguous) break;
        found = &device;
    }
    return found;
}

Device* RegistrationTable::put(const DeviceInfo& info, const coap::PeerId& peer) {
    const std::uint16_t tenant = texts_.intern(info.tenant);
    const std::uint16_t root = texts_.intern(info.root_path);
    if (tenant == Interner::kFull || root == Interner::kFull) return nullptr;
    Device* device = find(info.number);
    if (device == nullptr) {
        const Slot slot = take_slot();
        by_number_.try_emplace(info.number, slot);
        device = &at(slot);
        *device = Device{};
        device->in_use = true;
        device->number = info.number;
        device->endpoint = arena_.store(info.endpoint);
        device->peer = peer;
        link_peer(slot);
    } else {
        if (endpoint(*device) != info.endpoint) {
            arena_.release(device->endpoint);
            device->endpoint = arena_.store(info.endpoint);
        }
        rebind(*device, peer);
    }
    device->generation = info.generation;
    device->epoch = info.epoch;
    device->pledge_s = info.pledge_s;
    device->lifetime_s = info.lifetime_s;
    device->queue_mode = info.queue_mode;
    device->version = info.version;
    device->tenant = tenant;
    device->root = root;
    device->objects = info.objects;
    return device;
}

void RegistrationTable::rebind(Device& device, const coap::PeerId& peer) {
    if (device.peer == peer) return;
    const Slot slot = slot_of(device);
    unlink_peer(slot);
    device.peer = peer;
    link_peer(slot);
}

void RegistrationTable::erase(Device& device) {
    const Slot slot = slot_of(device);
    unlink_peer(slot);
    arena_.release(device.endpoint);
    by_number_.erase(device.number);
    device = Device{};
    free_.push_back(slot);
}

RegistrationTable::Slot RegistrationTable::take_slot() {
    if (free_.empty()) {
        const auto first = static_cast<Slot>(chunks_.size()) * kChunk;
        chunks_.push_back(std::make_unique<Device[]>(kChunk));
        free_.reserve(chunks_.size() * kChunk);
        for (Slot i = kChunk; i > 0; --i) free_.push_back(first + i - 1);
    }
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
}

// Devices without a known address are not linked: they would all share one chain.
void RegistrationTable::link_peer(Slot slot) {
    if (at(slot).peer.listener == kNoListener) return;
    if (by_number_.size() > heads_.size()) grow_peers();
    Slot& head = heads_[bucket_of(at(slot).peer)];
    at(slot).next_by_peer = head;
    head = slot;
}

void RegistrationTable::unlink_peer(Slot slot) {
    if (at(slot).peer.listener == kNoListener) return;
    Slot* link = &heads_[bucket_of(at(slot).peer)];
    while (*link != kNone && *link != slot) link = &at(*link).next_by_peer;
    if (*link == slot) *link = at(slot).next_by_peer;
}

// Called while the newest record is not linked yet, so only linked ones may be moved.
void RegistrationTable::grow_peers() {
    std::vector<Slot> linked;
    linked.reserve(by_number_.size());
    for (const Slot head : heads_) {
        for (Slot slot = head; slot != kNone; slot = at(slot).next_by_peer) linked.push_back(slot);
    }
    heads_.assign(heads_.size() * 2, kNone);
    for (const Slot slot : linked) {
        Slot& head = heads_[bucket_of(at(slot).peer)];
        at(slot).next_by_peer = head;
        head = slot;
    }
}

}  // namespace lanyard::coap_ingress
