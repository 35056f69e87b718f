#pragma once

#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/model.hpp"
#include "lwm2m/record.hpp"

namespace lanyard::lwm2m {

// Everything beside the bytes that decoding depends on. Views must outlive the call only.
struct DecodeContext {
    // The path that was read, observed or written; the root for composites and Send. Formats without paths
    // (text, opaque, CBOR) need a resource or resource instance here, TLV needs at least an object.
    Path base{};
    const ModelView& models = registry_models();
    // Receive time: what relative SenML times count from (RFC 8428 section 4.5.3).
    UnixMillis received_ms = 0;
    // The alternate path of the device ("/lwm2m"); taken off SenML names that begin with it.
    std::string_view root_path{};
    // Refuses values outside `base`. Off for the few legal answers that follow object links.
    bool confine_to_base = true;
};

// True for the formats that decode and encode take. The others of the enum are Errc::unsupported.
bool is_supported(ContentFormat format);

// The values of a payload in its order, duplicates kept. The type of each comes from the model; where that knows
// nothing, text decodes to string, TLV to opaque, and SenML and CBOR to what the bytes say.
// An empty payload of a structured format is an empty list.
// invalid_argument: malformed, or a value that is not of the model's type; too_large: over limits.hpp;
// unsupported: the format is not in this build. Thread-safe.
[[nodiscard]] Result<Records> decode(ContentFormat format, ByteView payload, const DecodeContext& context);

// The payload for a request on `base` (or for an answer to one). The values are converted to the model's type where
// that loses nothing. text, opaque and CBOR take exactly one record whose path is `base`. TLV leaves out what `base`
// already says. Times are written by SenML only; the other formats drop them.
// invalid_argument: a record outside `base`, or a value that the format or model cannot express. Thread-safe.
[[nodiscard]] Result<Bytes> encode(ContentFormat format, const Path& base, std::span<const Record> records,
                                   const ModelView& models = registry_models());

}  // namespace lanyard::lwm2m
