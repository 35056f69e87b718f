#include "lwm2m/object_links.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/utf8.hpp"
#include "lwm2m/hidden_object.hpp"
#include "lwm2m/limits.hpp"
#include "number_text.hpp"

namespace lanyard::lwm2m {
namespace {

struct CoreVersion {
    ObjectId id;
    Version v1_1;
    Version v1_2;
};

// Versions of the core objects in enabler releases 1.1.1 and 1.2.2 (Core appendix E); all are 1.0 in release 1.0.
constexpr std::array kCoreVersions{
    CoreVersion{0, {1, 1}, {1, 2}},  CoreVersion{1, {1, 1}, {1, 2}}, CoreVersion{2, {1, 0}, {1, 1}},
    CoreVersion{3, {1, 1}, {1, 2}},  CoreVersion{4, {1, 2}, {1, 3}}, CoreVersion{5, {1, 0}, {1, 1}},
    CoreVersion{21, {1, 0}, {2, 0}},
};

struct Gathered {
    std::optional<Version> version;
    std::set<InstanceId> instances;
};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return decoded;
}

// rt is a list of words separated by spaces, and may come twice.
bool is_root_link(const Link& link) {
    return std::any_of(link.attributes.begin(), link.attributes.end(), [](const LinkAttribute& attribute) {
        if (attribute.name != "rt" || !attribute.value) return false;
        const std::string words = " " + *attribute.value + " ";
        return words.find(" oma.lwm2m ") != std::string::npos;
    });
}

std::string_view without_trailing_slash(std::string_view target) {
    while (target.ends_with('/')) target.remove_suffix(1);
    return target;
}

// "12/0" begins with a digit in every segment that matters: such a link is meant as an LwM2M path.
bool looks_numeric(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '/'; });
}

class Reader {
  public:
    explicit Reader(Version enabler) : enabler_(enabler) {}

    Result<void> find_root(std::span<const Link> links) {
        for (const auto& link : links) {
            if (!link.has_target || !is_root_link(link)) continue;
            auto root = percent_decode(without_trailing_slash(link.target));
            if (!root || !is_utf8(*root)) return bad("root path is not valid");
            if (root->size() > kMaxRootPathBytes) return make_error(Errc::too_large, "root path too long");
            if (!root->empty() && !root->starts_with('/')) root->insert(0, "/");
            if (root_ && *root_ != *root) return bad("two root paths");
            root_ = std::move(*root);
        }
        return {};
    }

    Result<void> add(const Link& link) {
        if (!link.has_target) return {};
        const std::string_view target = without_trailing_slash(link.target);
        const auto rest = below_root(target);
        if (!rest) return {};
        if (rest->empty()) {
            if (is_root_link(link) || !root_ || root_->empty()) read_formats(link);
            return {};
        }
        if (!looks_numeric(*rest)) return {};
        const auto path = Path::parse(*rest);
        if (!path) return path.error();
        if (path->is_root() || path->size() > 2 || is_hidden_object((*path)[0])) return {};
        return add_path(*path, link);
    }

    Result<ObjectList> take() {
        ObjectList list;
        list.root_path = root_.value_or("");
        list.formats = std::move(formats_);
        list.objects.reserve(objects_.size());
        for (const auto& [id, object] : objects_) {
            list.objects.push_back({id,
                                    object.version.value_or(default_object_version(id, enabler_)),
                                    {object.instances.begin(), object.instances.end()}});
        }
        return list;
    }

  private:
    static Error bad(const std::string& what) { return make_error(Errc::invalid_argument, "object list: " + what); }

    // The part of a target below the root path; nullopt when it is not below it.
    [[nodiscard]] std::optional<std::string> below_root(std::string_view target) const {
        auto decoded = percent_decode(target);
        if (!decoded) return std::nullopt;
        if (!decoded->empty() && !decoded->starts_with('/')) decoded->insert(0, "/");
        const std::string& root = root_ ? *root_ : kNoRoot;
        if (!decoded->starts_with(root)) return std::nullopt;
        decoded->erase(0, root.size());
        if (!decoded->empty() && decoded->front() != '/') return std::nullopt;
        return decoded;
    }

    void read_formats(const Link& link) {
        const std::string* ct = link.value_of("ct");
        if (!ct) return;
        for (std::size_t at = 0; at < ct->size() && formats_.size() < kMaxAnnouncedFormats;) {
            const std::size_t end = std::min(ct->find(' ', at), ct->size());
            const auto number = parse_uint64(std::string_view(*ct).substr(at, end - at));
            at = end + 1;
            if (!number || *number > UINT16_MAX) continue;
            const auto format = content_format_from(static_cast<std::uint16_t>(*number));
            if (!format || std::find(formats_.begin(), formats_.end(), *format) != formats_.end()) continue;
            formats_.push_back(*format);
        }
    }

    Result<void> add_path(const Path& path, const Link& link) {
        if (objects_.size() == kMaxObjects && !objects_.contains(path[0])) {
            return make_error(Errc::too_large, "object list: too many objects");
        }
        Gathered& object = objects_[path[0]];
        if (const std::string* text = link.value_of("ver")) {
            const auto version = Version::parse(*text);
            if (!version) return bad("\"" + text->substr(0, 16) + "\" is no version");
            object.version = version;
        }
        if (path.size() == 2 && object.instances.insert(path[1]).second && ++instances_ > kMaxInstances) {
            return make_error(Errc::too_large, "object list: too many instances");
        }
        return {};
    }

    static inline const std::string kNoRoot;

    Version enabler_;
    std::optional<std::string> root_;
    std::vector<ContentFormat> formats_;
    std::map<ObjectId, Gathered> objects_;
    std::size_t instances_ = 0;
};

std::string formats_text(const std::vector<ContentFormat>& formats) {
    std::string text;
    for (const auto format : formats) {
        if (!text.empty()) text.push_back(' ');
        text.append(std::to_string(number_of(format)));
    }
    return text;
}

}  // namespace

const AnnouncedObject* ObjectList::find(ObjectId id) const {
    const auto at = std::lower_bound(objects.begin(), objects.end(), id,
                                     [](const AnnouncedObject& object, ObjectId wanted) { return object.id < wanted; });
    return at != objects.end() && at->id == id ? &*at : nullptr;
}

Version default_object_version(ObjectId id, Version enabler) {
    if (enabler.major != 1 || enabler.minor == 0) return {1, 0};
    for (const auto& core : kCoreVersions) {
        if (core.id == id) return enabler.minor == 1 ? core.v1_1 : core.v1_2;
    }
    return {1, 0};
}

Result<ObjectList> read_object_list(std::span<const Link> links, Version enabler) {
    Reader reader(enabler);
    if (auto found = reader.find_root(links); !found) return found.error();
    for (const auto& link : links) {
        if (auto added = reader.add(link); !added) return added.error();
    }
    return reader.take();
}

Result<ObjectList> parse_object_list(std::string_view payload, Version enabler) {
    const auto links = parse_links(payload);
    if (!links) return links.error();
    return read_object_list(*links, enabler);
}

std::string write_object_list(const ObjectList& list, Version enabler) {
    std::vector<Link> links;
    if (!list.root_path.empty() || !list.formats.empty()) {
        Link root{list.root_path.empty() ? "/" : list.root_path, true, {{"rt", "oma.lwm2m"}}};
        if (!list.formats.empty()) root.attributes.push_back({"ct", formats_text(list.formats)});
        links.push_back(std::move(root));
    }
    for (const auto& object : list.objects) {
        const std::string target = list.root_path + Path{object.id}.to_string();
        const bool versioned = object.version != default_object_version(object.id, enabler);
        if (versioned || object.instances.empty()) links.push_back({target, true, {}});
        if (versioned) links.back().attributes.push_back({"ver", object.version.to_string()});
        for (const auto instance : object.instances) {
            links.push_back({target + "/" + std::to_string(instance), true, {}});
        }
    }
    return write_links(links);
}

}  // namespace lanyard::lwm2m
