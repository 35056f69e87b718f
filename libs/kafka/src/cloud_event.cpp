#include "kafka/cloud_event.hpp"

#include "base/assert.hpp"

namespace lanyard::kafka {

void EventHeaders::set(const CloudEvent& event) {
    count_ = 0;
    add("content-type", event.content_type);
    add("ce_specversion", "1.0");
    add("ce_id", event.id);
    add("ce_type", event.type);
    add("ce_source", event.source);
    add("ce_subject", event.subject);
    add("ce_time", event.time);
    add("ce_partitionkey", event.partition_key);
    add("ce_sequence", event.sequence);
    add("ce_tenantid", event.tenant);
}

void EventHeaders::add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    LANYARD_ASSERT(count_ < kMax);
    headers_[count_++] = {name, value};
}

}  // namespace lanyard::kafka
