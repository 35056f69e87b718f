#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "coap/code.hpp"
#include "coap/message.hpp"
#include "device/resource_tree.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/path.hpp"

namespace lanyard::device {

// What a server asks for, by Core 1.2 table 6.4-1 (the mapping to CoAP methods).
enum class OperationKind : std::uint8_t {
    read,
    discover,
    observe,
    cancel_observation,
    write_replace,
    write_update,
    write_attributes,
    execute,
    read_composite,
    write_composite,
};

struct Operation {
    OperationKind kind = OperationKind::read;
    lwm2m::Path path;
    std::optional<std::uint16_t> accept;
    std::optional<std::uint16_t> content_format;
    std::optional<std::uint8_t> depth;  // of Discover
    lwm2m::Attributes attributes;       // of Write-Attributes
    ByteView payload;                   // belongs to the message
};

struct ParsedOperation {
    // The response code when the request is no operation; empty when it is.
    coap::Code refusal = coap::Code::empty;
    Operation operation;
};

// `payload` is the whole body when the message is the last of several blocks.
[[nodiscard]] ParsedOperation parse_operation(const coap::MessageView& request, ByteView payload);

struct Answer {
    coap::Code code = coap::Code::content;
    std::optional<lwm2m::ContentFormat> format;
    Bytes payload;
};

// Does the operation on the tree; observe and cancel_observation are answered as a Read, keeping track of them is the
// caller's business. `preferred` is the format of several values when the request does not say.
[[nodiscard]] Answer serve(ResourceTree& tree, const Operation& operation, lwm2m::ContentFormat preferred);

// The values at `path` as they are notified: in `format`, or by the rule of serve() when that cannot express them.
[[nodiscard]] Answer read_answer(const ResourceTree& tree, const lwm2m::Path& path, std::optional<std::uint16_t> accept,
                                 lwm2m::ContentFormat preferred);

// The response code for an error of the tree or of a codec.
[[nodiscard]] coap::Code code_for(Errc error);

}  // namespace lanyard::device
