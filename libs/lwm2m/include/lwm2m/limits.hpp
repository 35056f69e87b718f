#pragma once

#include <cstddef>
#include <cstdint>

// Every bound on what a peer may make this library hold or do. Over a bound is Errc::too_large.
namespace lanyard::lwm2m {

// One payload (after block-wise reassembly) in any format.
inline constexpr std::size_t kMaxPayloadBytes = 1024 * 1024;
// Values in one decoded payload.
inline constexpr std::size_t kMaxRecords = 16384;
// Nesting of CBOR and JSON. SenML needs 2 (array of maps); the rest is for skipped unknown members.
inline constexpr std::size_t kMaxDepth = 8;
// Members of one SenML record, extensions included.
inline constexpr std::size_t kMaxRecordMembers = 64;
// A SenML name (base name + name) in text.
inline constexpr std::size_t kMaxNameBytes = 128;

// A link-format document.
inline constexpr std::size_t kMaxLinks = 4096;
inline constexpr std::size_t kMaxLinkAttributes = 32;
inline constexpr std::size_t kMaxLinkTargetBytes = 512;
// What a registration may announce.
inline constexpr std::size_t kMaxObjects = 512;
inline constexpr std::size_t kMaxInstances = 2048;
inline constexpr std::size_t kMaxRootPathBytes = 64;
inline constexpr std::size_t kMaxAnnouncedFormats = 16;

// Register and Update query parameters.
inline constexpr std::size_t kMaxQueryParameters = 24;
inline constexpr std::size_t kMaxEndpointBytes = 255;
inline constexpr std::size_t kMaxSmsBytes = 64;
inline constexpr std::size_t kMaxProfileIdBytes = 255;

}  // namespace lanyard::lwm2m
