#pragma once

#include "base/assert.hpp"
#include "lwm2m/codec.hpp"

namespace lanyard::lwm2m {

inline constexpr UnixMillis kFuzzNow = 1'700'000'000'000;

// Decodes arbitrary bytes. What was understood and can be written again must be read back with the same paths.
inline void decode_and_back(ContentFormat format, const Path& base, ByteView payload) {
    const DecodeContext context{.base = base, .received_ms = kFuzzNow, .root_path = "/lwm2m"};
    const auto records = decode(format, payload, context);
    if (!records) return;
    const auto bytes = encode(format, base, *records);
    if (!bytes) return;
    const auto again = decode(format, *bytes, context);
    LANYARD_ASSERT(again.has_value());
    // TLV keeps one value for each path, SenML all of them.
    LANYARD_ASSERT(format == ContentFormat::tlv ? again->size() <= records->size() : again->size() == records->size());
    for (const auto& record : *again) LANYARD_ASSERT(base.contains(record.path));
}

}  // namespace lanyard::lwm2m
