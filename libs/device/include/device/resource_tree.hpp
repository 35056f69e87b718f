#pragma once

#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/record.hpp"

namespace lanyard::device {

enum class WriteMode { replace, update };

// The objects of one device as the operations of a server see them (Core 1.2 section 6.3). Not thread-safe.
class ResourceTree {
  public:
    virtual ~ResourceTree() = default;

    // Appends the values at and below `path`. not_found: nothing is there; failed_precondition: a resource that
    // cannot be read. Unreadable resources below an object or instance are left out.
    [[nodiscard]] virtual Result<void> read(const lwm2m::Path& path, lwm2m::Records& out) const = 0;
    // All or nothing. `base` is what the request named; every record lies in it.
    [[nodiscard]] virtual Result<void> write(const lwm2m::Path& base, std::span<const lwm2m::Record> records,
                                             WriteMode mode) = 0;
    [[nodiscard]] virtual Result<void> execute(const lwm2m::Path& path, ByteView arguments) = 0;

    // Objects, instances and resources (executable ones too) at and below `path`, depth first.
    [[nodiscard]] virtual std::vector<lwm2m::Path> list(const lwm2m::Path& path) const = 0;
    // What is attached to exactly this path.
    [[nodiscard]] virtual lwm2m::Attributes attributes(const lwm2m::Path& path) const = 0;
    [[nodiscard]] virtual Result<void> set_attributes(const lwm2m::Path& path, const lwm2m::Attributes& change) = 0;
};

}  // namespace lanyard::device
