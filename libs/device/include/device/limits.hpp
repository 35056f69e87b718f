#pragma once

#include <cstddef>
#include <cstdint>

// Every bound of the device side.
namespace lanyard::device {

// Distinct combinations of attached attributes in one Fleet; a Write-Attributes that would need one more gets 5.03.
inline constexpr std::size_t kMaxAttributeSets = 1024;
// Paths with attached attributes on one device.
inline constexpr std::size_t kMaxAttributedPaths = 16;
// Observations that one device of a Fleet keeps; a further Observe is answered as a Read (RFC 7641 section 4.1).
inline constexpr std::size_t kMaxFleetObservations = 3;
// "rd/{id}", the Location-Path options joined; a longer one is counted as a failed registration.
inline constexpr std::size_t kMaxLocationBytes = 32;
// Uri-Query options that are looked at in a request from the server.
inline constexpr std::size_t kMaxQueryOptions = 16;
// The greatest datagram that a Fleet builds. Its answers are a few hundred bytes.
inline constexpr std::size_t kMaxFleetDatagram = 1280;
// Observations of one Client.
inline constexpr std::size_t kMaxClientObservations = 64;

}  // namespace lanyard::device
