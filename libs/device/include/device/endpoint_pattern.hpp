#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace lanyard::device {

// The endpoint names of a fleet: text with exactly one `%u`, optionally with a zero-padded width ("sensor-%07u").
class EndpointPattern {
  public:
    // invalid_argument: none or two conversions, another conversion than %u, a width above 20, or names that are no
    // endpoint names.
    [[nodiscard]] static Result<EndpointPattern> parse(std::string_view text);
    // "sensor-%07u".
    EndpointPattern() = default;

    [[nodiscard]] std::string name(std::uint64_t number) const;

  private:
    std::string prefix_ = "sensor-";
    std::string suffix_;
    std::size_t width_ = 7;
};

}  // namespace lanyard::device
