#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "lwm2m/version.hpp"

namespace lanyard::coap_ingress {

// What link lists that were read lately came to: devices of one kind register the same text. A list has one place,
// which the next one that belongs there takes over; a list of more than kBytesMax is not kept. Not thread-safe.
class LinksMemo {
  public:
    static constexpr std::size_t kBytesMax = 1024;

    // The number of RegistrationTable::keep_objects() that keep() was told.
    [[nodiscard]] std::optional<std::uint16_t> find(ByteView links, lwm2m::Version version) const;
    void keep(ByteView links, lwm2m::Version version, std::uint16_t objects);

  private:
    static constexpr std::size_t kPlaces = 64;

    struct Entry {
        std::string links;
        lwm2m::Version version{};
        std::uint16_t objects = 0;
    };

    [[nodiscard]] static std::size_t place_of(ByteView links);

    std::array<Entry, kPlaces> entries_;
};

}  // namespace lanyard::coap_ingress
