#include "latest_buffer.hpp"

#include <algorithm>
#include <utility>

#include "latest_codec.hpp"
#include "telemetry_value.hpp"

namespace lanyard::observation {
namespace {

LatestValue encode(const LatestInput& input) {
    LatestValue out;
    append_path(out.path, input.path);
    out.time_ms = input.time_ms;
    out.record = encode_latest_record(input.value, input.time_ms, input.received_ms, input.send);
    return out;
}

}  // namespace

LatestBuffer::Device* LatestBuffer::device(DeviceNumber number) {
    const auto found = devices_.find(number.value);
    if (found != devices_.end()) return &found->second;
    return devices_.size() < max_ ? &devices_[number.value] : nullptr;
}

bool LatestBuffer::put(DeviceNumber number, LatestInput value) {
    Device* entry = device(number);
    if (entry == nullptr) return false;
    const auto at = std::find_if(entry->values.begin(), entry->values.end(),
                                 [&](const LatestInput& v) { return v.path == value.path; });
    if (at == entry->values.end()) {
        entry->values.push_back(std::move(value));
    } else if (at->time_ms <= value.time_ms) {
        *at = std::move(value);
    }
    return true;
}

bool LatestBuffer::put(DeviceNumber number, const LastNotify& notify) {
    Device* entry = device(number);
    if (entry == nullptr) return false;
    const auto at = std::find_if(entry->notifies.begin(), entry->notifies.end(),
                                 [&](const LastNotify& n) { return n.spec == notify.spec; });
    if (at == entry->notifies.end()) {
        entry->notifies.push_back(notify);
    } else if (at->received_ms <= notify.received_ms) {
        *at = notify;
    }
    return true;
}

std::vector<ObservationStore::LatestUpdate> LatestBuffer::take(std::size_t count) {
    std::vector<ObservationStore::LatestUpdate> out;
    while (out.size() < count && !devices_.empty()) {
        const auto first = devices_.begin();
        LatestRecord latest;
        for (const LatestInput& input : first->second.values) latest.values.push_back(encode(input));
        latest.notifies = std::move(first->second.notifies);
        out.emplace_back(DeviceNumber{first->first}, std::move(latest));
        devices_.erase(first);
    }
    return out;
}

}  // namespace lanyard::observation
