#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device_filter.hpp"
#include "observation/downlink.hpp"
#include "observation/types.hpp"

namespace lanyard::observation {

// More than this on one device is cut, templates first: what a device can bear is far below.
inline constexpr std::size_t kMaxDesired = 256;

// An observation that a device should have.
struct Desired {
    std::string id;           // last part of the resource name
    std::string template_id;  // empty for its own
    std::string path;
    AttributeMap attributes;
    std::optional<std::uint16_t> accept;
    friend bool operator==(const Desired&, const Desired&) = default;
};

// A template with its filter parsed once.
struct CompiledTemplate {
    Template entry;
    DeviceFilter filter;
};

// All templates as of one version. Immutable, shared between threads.
struct CompiledTemplates {
    std::uint64_t version = 0;
    std::vector<CompiledTemplate> templates;
};
// Templates whose filter does not parse (written by a newer version of this service) are left out.
[[nodiscard]] std::shared_ptr<const CompiledTemplates> compile(TemplateSet set);

// What `device` should have: its own observations first, then those of the templates in order of their id. A path
// appears once, the first one wins. "*" expands over announced instances; a path whose object is not announced is
// left out. With an object list that cannot be read, only paths without "*" of templates without object_id count.
[[nodiscard]] std::vector<Desired> desired_of(const DeviceInfo& device, std::span<const OwnObservation> own,
                                              const CompiledTemplates& templates);

// The content format to ask a device for: `wanted`, else the best of those it announced, else none (the device
// chooses).
[[nodiscard]] std::optional<std::uint16_t> choose_accept(std::optional<std::uint16_t> wanted, const DeviceInfo& device);

// The alternate path of its Register: "/lwm2m"; empty for the root or a list that cannot be read.
[[nodiscard]] std::string root_path_of(const DeviceInfo& device);

}  // namespace lanyard::observation
