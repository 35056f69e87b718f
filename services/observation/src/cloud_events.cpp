#include "cloud_events.hpp"

#include "base/assert.hpp"

namespace lanyard::observation {

void EventHeaders::add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    LANYARD_ASSERT(count_ < kMax);
    headers_[count_++] = {name, value};
}

}  // namespace lanyard::observation
