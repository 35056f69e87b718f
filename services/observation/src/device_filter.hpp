#pragma once

#include <string_view>

#include "filter/filter.hpp"
#include "observation/downlink.hpp"

namespace lanyard::observation {

// The AIP-160 filter of a template: fields `endpoint` and `labels.*`.
class DeviceFilter {
  public:
    // invalid_argument and too_large as filter::Filter::parse.
    [[nodiscard]] static Result<DeviceFilter> parse(std::string_view text);
    [[nodiscard]] bool matches(const DeviceInfo& device) const;

  private:
    filter::Filter filter_;
};

}  // namespace lanyard::observation
