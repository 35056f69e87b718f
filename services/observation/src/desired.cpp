#include "desired.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "lwm2m/object_links.hpp"
#include "lwm2m/path.hpp"
#include "template_rules.hpp"

namespace lanyard::observation {
namespace {

lwm2m::Version version_of(const DeviceInfo& device) {
    return lwm2m::Version::parse(device.lwm2m_version).value_or(lwm2m::Version{1, 1});
}

// The paths that a template's path stands for on a device.
std::vector<std::string> expand(const std::string& pattern, const std::optional<lwm2m::ObjectList>& objects) {
    const auto star = pattern.find("/*");
    const auto head = lwm2m::Path::parse(pattern.substr(0, star));
    if (!head || head->is_root()) return {};
    const lwm2m::AnnouncedObject* announced = objects ? objects->find((*head)[0]) : nullptr;
    if (star == std::string::npos) {
        if (objects && announced == nullptr) return {};
        return {pattern};
    }
    if (announced == nullptr) return {};
    std::vector<std::string> out;
    for (const auto instance : announced->instances) {
        out.push_back(pattern.substr(0, star) + "/" + std::to_string(instance) + pattern.substr(star + 2));
    }
    return out;
}

// False when the device cannot announce what the template is about, which saves reading most link lists: the number of
// an announced object stands in the list.
bool may_apply(const CompiledTemplate& t, const DeviceInfo& device) {
    if (t.entry.tenant != device.tenant) return false;
    if (t.entry.object_id == 0) return true;
    return device.object_links.find("/" + std::to_string(t.entry.object_id)) != std::string::npos;
}

bool applies(const CompiledTemplate& t, const DeviceInfo& device, const std::optional<lwm2m::ObjectList>& objects) {
    if (t.entry.tenant != device.tenant) return false;
    if (t.entry.object_id != 0 && (!objects || objects->find(t.entry.object_id) == nullptr)) return false;
    return t.filter.matches(device);
}

}  // namespace

std::shared_ptr<const CompiledTemplates> compile(TemplateSet set) {
    auto out = std::make_shared<CompiledTemplates>();
    out->version = set.version;
    for (Template& entry : set.templates) {
        auto filter = DeviceFilter::parse(entry.filter);
        if (filter) out->templates.push_back({std::move(entry), std::move(*filter)});
    }
    std::sort(out->templates.begin(), out->templates.end(),
              [](const auto& a, const auto& b) { return a.entry.id < b.entry.id; });
    return out;
}

std::vector<Desired> desired_of(const DeviceInfo& device, std::span<const OwnObservation> own,
                                const CompiledTemplates& templates) {
    std::vector<Desired> out;
    std::unordered_set<std::string> taken;
    for (const OwnObservation& o : own) {
        if (taken.insert(o.path).second) out.push_back({o.id, {}, o.path, o.attributes, o.accept});
    }
    const auto& all = templates.templates;
    if (std::none_of(all.begin(), all.end(), [&](const auto& t) { return may_apply(t, device); })) return out;
    const auto parsed = lwm2m::parse_object_list(device.object_links, version_of(device));
    const auto objects = parsed ? std::optional(*parsed) : std::nullopt;
    for (const CompiledTemplate& t : templates.templates) {
        if (!applies(t, device, objects)) continue;
        for (const std::string& pattern : t.entry.paths) {
            for (std::string& path : expand(pattern, objects)) {
                if (out.size() >= kMaxDesired) return out;
                if (!taken.insert(path).second) continue;
                std::string id = t.entry.id + "." + dotted(path);
                out.push_back({std::move(id), t.entry.id, std::move(path), t.entry.attributes, t.entry.accept});
            }
        }
    }
    return out;
}

std::optional<std::uint16_t> choose_accept(std::optional<std::uint16_t> wanted, const DeviceInfo& device) {
    if (wanted) return wanted;
    const auto objects = lwm2m::parse_object_list(device.object_links, version_of(device));
    if (!objects) return {};
    using lwm2m::ContentFormat;
    for (const auto format : std::array{ContentFormat::senml_cbor, ContentFormat::senml_json, ContentFormat::tlv}) {
        const auto& announced = objects->formats;
        if (std::find(announced.begin(), announced.end(), format) != announced.end()) return number_of(format);
    }
    return {};
}

std::string root_path_of(const DeviceInfo& device) {
    const auto objects = lwm2m::parse_object_list(device.object_links, version_of(device));
    return objects ? objects->root_path : std::string();
}

}  // namespace lanyard::observation
