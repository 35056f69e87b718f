#include "latest_buffer.hpp"

#include <algorithm>
#include <utility>

#include "lanyard/events/v1/telemetry.pb.h"
#include "resource_names.hpp"
#include "telemetry_value.hpp"

namespace lanyard::observation {
namespace {

LatestValue encode(const LatestInput& input, events::v1::TelemetryRecord& record) {
    LatestValue out;
    append_path(out.path, input.path);
    out.time_ms = input.time_ms;
    TelemetryValue value;
    value.path = input.path;
    value.path_text = out.path;
    name_value(value);
    value.time_ms = input.time_ms;
    value.received_ms = input.received_ms;
    value.value = &input.value;
    value.origin = input.send ? "send" : "notify";
    fill_record(record, value);
    record.SerializeToString(&out.record);
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
    events::v1::TelemetryRecord record;
    while (out.size() < count && !devices_.empty()) {
        const auto first = devices_.begin();
        LatestRecord latest;
        for (const LatestInput& input : first->second.values) latest.values.push_back(encode(input, record));
        latest.notifies = std::move(first->second.notifies);
        out.emplace_back(DeviceNumber{first->first}, std::move(latest));
        devices_.erase(first);
    }
    return out;
}

}  // namespace lanyard::observation
