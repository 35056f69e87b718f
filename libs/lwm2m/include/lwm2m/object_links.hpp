#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/link_format.hpp"
#include "lwm2m/path.hpp"
#include "lwm2m/version.hpp"

namespace lanyard::lwm2m {

// An object that a device announces.
struct AnnouncedObject {
    ObjectId id = 0;
    Version version{};
    // Ascending, without duplicates; empty when the device named the object only.
    std::vector<InstanceId> instances{};
    friend bool operator==(const AnnouncedObject&, const AnnouncedObject&) = default;
};

// What the payload of a Register or Update says (Core 1.2 section 6.2.1).
struct ObjectList {
    // The alternate path with leading and without trailing slash, percent-decoded; empty for the usual root.
    std::string root_path{};
    // Announced formats (attribute ct of the root link) in their order; numbers LwM2M does not know are left out.
    std::vector<ContentFormat> formats{};
    // Ascending ids, without duplicates. /0, /21 and /23 are dropped, as no server may touch them.
    std::vector<AnnouncedObject> objects{};

    [[nodiscard]] const AnnouncedObject* find(ObjectId id) const;
    friend bool operator==(const ObjectList&, const ObjectList&) = default;
};

// The version of an object whose link has no `ver`: for the core objects that of the enabler release, 1.0 for
// every other object (Core 1.2 section 7.2.3).
Version default_object_version(ObjectId id, Version enabler);

// Interprets parsed links. Links that are no LwM2M path (other resources of the device, absolute URIs, paths
// outside the root path) and unknown attributes are ignored; of repeated links the last version wins.
// invalid_argument: an id that is 65535 or above, a `ver` that is no version, two different root paths;
// too_large: over limits.hpp.
[[nodiscard]] Result<ObjectList> read_object_list(std::span<const Link> links, Version enabler);

// parse_links and read_object_list in one.
[[nodiscard]] Result<ObjectList> parse_object_list(std::string_view payload, Version enabler);

// The Register payload for a list: root link when there is anything to say in it, then objects and instances.
// A version is written when it is not the default for `enabler`.
[[nodiscard]] std::string write_object_list(const ObjectList& list, Version enabler);

}  // namespace lanyard::lwm2m
