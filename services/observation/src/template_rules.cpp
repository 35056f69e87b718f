#include "template_rules.hpp"

#include <algorithm>
#include <vector>

#include "device_filter.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/path.hpp"

namespace lanyard::observation {
namespace {

// Objects that no server may observe (LwM2M core 1.2 section 6.4): Security, OSCORE, COSE.
bool is_hidden(std::uint16_t object) {
    return object == 0 || object == 21 || object == 23;
}

std::optional<BadField> check_path(std::string_view text, std::string field) {
    std::string plain(text);
    // "*" may stand in the place of the instance only.
    if (const auto star = plain.find("/*"); star != std::string::npos) {
        const bool whole_segment = star + 2 == plain.size() || plain[star + 2] == '/';
        const bool second_segment = star > 1 && plain.find('/', 1) == star;
        if (!whole_segment || !second_segment) {
            return BadField{std::move(field), "\"*\" may only stand for the instance id, as in /3303/*/5700"};
        }
        plain.replace(star, 2, "/0");
    }
    const auto path = lwm2m::Path::parse(plain);
    if (plain.empty() || plain.front() != '/' || !path || path->is_root()) {
        return BadField{std::move(field), "must be 1 to 4 ids, as in /3303/0/5700"};
    }
    if (is_hidden((*path)[0])) return BadField{std::move(field), "objects 0, 21 and 23 cannot be observed"};
    return {};
}

std::optional<BadField> check_attributes(const AttributeMap& attributes) {
    if (attributes.size() > kMaxAttributes) return BadField{"attributes", "at most 16"};
    const std::vector<std::string> query = attribute_query(attributes);
    const std::vector<std::string_view> views(query.begin(), query.end());
    if (auto parsed = lwm2m::parse_attributes(views); !parsed) return BadField{"attributes", parsed.error().message};
    return {};
}

std::optional<BadField> check_accept(std::optional<std::uint16_t> accept) {
    if (accept && !lwm2m::content_format_from(*accept)) {
        return BadField{"accept", "not a content format of LwM2M; 0, 42, 60, 110, 112 and 11542 are usual"};
    }
    return {};
}

}  // namespace

bool is_template_id(std::string_view id) {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    return !id.empty() && id.size() <= 63 && lower(id.front()) &&
           std::all_of(id.begin(), id.end(), [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::optional<BadField> check_template(const Template& entry) {
    if (!is_template_id(entry.id)) return BadField{"id", "must match [a-z][a-z0-9-]{0,62}"};
    if (entry.filter.size() > kMaxFilterBytes) return BadField{"filter", "at most 2048 bytes"};
    if (auto filter = DeviceFilter::parse(entry.filter); !filter) return BadField{"filter", filter.error().message};
    if (entry.paths.empty() || entry.paths.size() > kMaxTemplatePaths) return BadField{"paths", "must be 1 to 64"};
    for (std::size_t i = 0; i < entry.paths.size(); ++i) {
        if (auto bad = check_path(entry.paths[i], "paths[" + std::to_string(i) + "]")) return bad;
    }
    if (auto bad = check_attributes(entry.attributes)) return bad;
    return check_accept(entry.accept);
}

std::optional<BadField> check_own(const OwnObservation& own) {
    if (own.path.find('*') != std::string::npos)
        return BadField{"path", "must name an instance, \"*\" is for templates"};
    if (auto bad = check_path(own.path, "path")) return bad;
    if (auto bad = check_attributes(own.attributes)) return bad;
    return check_accept(own.accept);
}

std::string dotted(std::string_view path) {
    std::string out(path.substr(path.starts_with('/') ? 1 : 0));
    std::replace(out.begin(), out.end(), '/', '.');
    return out;
}

std::vector<std::string> attribute_query(const AttributeMap& attributes) {
    std::vector<std::string> out;
    out.reserve(attributes.size());
    for (const auto& [name, value] : attributes) out.push_back(value.empty() ? name : name + "=" + value);
    return out;
}

}  // namespace lanyard::observation
