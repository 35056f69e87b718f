#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "coap/code.hpp"
#include "coap/options.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/path.hpp"

namespace lanyard::lwm2m_coap {

using lwm2m::Attributes;
using lwm2m::ContentFormat;
using lwm2m::Path;

// The operations that a server sends to a device (Core 1.2 sections 6.3 and 6.4), one struct each.

struct Read {
    Path path{};  // object or below
    std::optional<ContentFormat> accept{};
};

struct Discover {
    Path path{};                          // object, instance or resource
    std::optional<std::uint8_t> depth{};  // 0 to 3, since 1.2
};

enum class WriteMode : std::uint8_t {
    replace,  // PUT on an instance, resource or resource instance
    partial,  // POST on an instance; on a resource with instances since 1.2
};

struct Write {
    Path path{};
    WriteMode mode = WriteMode::replace;
    ContentFormat format = ContentFormat::tlv;
    Bytes payload{};
};

struct WriteAttributes {
    Path path{};
    Attributes attributes{};
};

struct Execute {
    Path path{};  // a resource
    // As Core 1.2 section 6.3.5 writes them: `0='a',1`. Empty: none.
    std::string arguments{};
};

struct Create {
    lwm2m::ObjectId object = 0;
    ContentFormat format = ContentFormat::tlv;
    Bytes payload{};
};

struct Delete {
    Path path{};  // an instance; a resource instance since 1.2
};

struct Observe {
    Path path{};
    std::optional<ContentFormat> accept{};
};

// Ends an observation. Must have the path and accept of the Observe, and be sent with its token.
struct CancelObserve {
    Path path{};
    std::optional<ContentFormat> accept{};
};

using Operation = std::variant<Read, Discover, Write, WriteAttributes, Execute, Create, Delete, Observe, CancelObserve>;

// "read", "discover", "write", "write-attributes", "execute", "create", "delete", "observe", "cancel-observe".
std::string_view name_of(const Operation& operation);

// The path that an operation acts on.
Path path_of(const Operation& operation);

// Everything of a CoAP request but message id and token, which belong to the message layer and to the caller.
struct RequestParts {
    coap::Code method = coap::Code::get;
    coap::Options options{};
    Bytes payload{};
};

// The request for an operation on a device whose alternate path is `root_path` ("" or "/lwm2m").
// invalid_argument: the operation is not defined on a path of this depth, an attribute rule is broken, execute
// arguments are malformed, the path is in an object that no server may touch (/0, /21, /23). Thread-safe.
[[nodiscard]] Result<RequestParts> to_request(const Operation& operation, std::string_view root_path = {});

// Checks the syntax of Execute arguments: digits 0 to 9, each at most once, each with an optional value in single
// quotes (Core 1.2 section 6.3.5). Spaces in values are taken, as published examples have them.
[[nodiscard]] Result<void> check_execute_arguments(std::string_view arguments);

}  // namespace lanyard::lwm2m_coap
