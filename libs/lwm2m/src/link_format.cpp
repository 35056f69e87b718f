#include "lwm2m/link_format.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Characters of an attribute name: RFC 6690 section 2 (parmname), and '*' of the extended form.
bool is_name_char(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || std::string_view("!#$&+-^_`|~.*%'").find(c) != std::string_view::npos;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<std::vector<Link>> links() {
        std::vector<Link> links;
        skip_spaces();
        while (!at_end()) {
            if (links.size() == kMaxLinks) return make_error(Errc::too_large, "link format: too many links");
            auto link = this->link(links.empty());
            if (!link) return link.error();
            links.push_back(std::move(*link));
            skip_spaces();
            if (at_end()) break;
            if (!take(',')) return fail("expected ','");
            skip_spaces();
            if (at_end()) return fail("a link must follow ','");
        }
        return links;
    }

  private:
    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char front() const { return at_end() ? '\0' : text_[at_]; }
    bool take(char c) {
        if (front() != c || at_end()) return false;
        ++at_;
        return true;
    }
    void skip_spaces() {
        while (!at_end() && is_space(text_[at_])) ++at_;
    }
    [[nodiscard]] Error fail(const char* what) const {
        return make_error(Errc::invalid_argument,
                          "link format: " + std::string(what) + " at offset " + std::to_string(at_));
    }

    Result<Link> link(bool is_first) {
        Link link;
        if (take('<')) {
            const auto end = text_.find('>', at_);
            if (end == std::string_view::npos) return fail("no '>'");
            if (end - at_ > kMaxLinkTargetBytes) return make_error(Errc::too_large, "link format: target too long");
            link.target = text_.substr(at_, end - at_);
            if (std::any_of(link.target.begin(), link.target.end(), is_control)) return fail("control character");
            at_ = end + 1;
        } else if (is_first && is_name_char(front())) {
            link.has_target = false;
            if (auto added = attribute(link); !added) return added.error();
        } else {
            return fail("expected '<'");
        }
        skip_spaces();
        while (take(';')) {
            skip_spaces();
            if (auto added = attribute(link); !added) return added.error();
            skip_spaces();
        }
        return link;
    }

    Result<void> attribute(Link& link) {
        if (link.attributes.size() == kMaxLinkAttributes) {
            return make_error(Errc::too_large, "link format: too many attributes");
        }
        const std::size_t start = at_;
        while (is_name_char(front())) ++at_;
        if (at_ == start) return fail("expected an attribute name");
        LinkAttribute attribute{std::string(text_.substr(start, at_ - start)), std::nullopt};
        skip_spaces();
        if (take('=')) {
            skip_spaces();
            auto value = front() == '"' ? quoted() : unquoted();
            if (!value) return value.error();
            attribute.value = std::move(*value);
        }
        link.attributes.push_back(std::move(attribute));
        return {};
    }

    Result<std::string> quoted() {
        std::string value;
        for (++at_; !at_end(); ++at_) {
            char c = text_[at_];
            if (c == '"') {
                ++at_;
                return value;
            }
            if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
            if (is_control(c)) return fail("control character");
            value.push_back(c);
        }
        return fail("open quote");
    }

    Result<std::string> unquoted() {
        const std::size_t start = at_;
        while (!at_end() && std::string_view(",;\"<>").find(text_[at_]) == std::string_view::npos) {
            ++at_;
        }
        std::string_view value = text_.substr(start, at_ - start);
        while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
        if (std::any_of(value.begin(), value.end(), is_control)) return fail("control character");
        return std::string(value);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

bool is_plain(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(),
                                         [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

void write_attribute(const LinkAttribute& attribute, std::string& out) {
    out.append(attribute.name);
    if (!attribute.value) return;
    out.push_back('=');
    if (is_plain(*attribute.value)) {
        out.append(*attribute.value);
        return;
    }
    out.push_back('"');
    for (const char c : *attribute.value) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    out.push_back('"');
}

}  // namespace

const std::string* Link::value_of(std::string_view name) const {
    for (const auto& attribute : attributes) {
        if (attribute.name == name && attribute.value) return &*attribute.value;
    }
    return nullptr;
}

bool Link::has(std::string_view name) const {
    return std::any_of(attributes.begin(), attributes.end(), [&](const auto& a) { return a.name == name; });
}

Result<std::vector<Link>> parse_links(std::string_view text) {
    if (text.size() > kMaxPayloadBytes) return make_error(Errc::too_large, "link format: document too long");
    if (!is_utf8(text)) return make_error(Errc::invalid_argument, "link format: not UTF-8");
    return Parser(text).links();
}

std::string write_links(std::span<const Link> links) {
    std::string out;
    for (const auto& link : links) {
        if (!out.empty()) out.push_back(',');
        if (link.has_target) out.append("<").append(link.target).append(">");
        for (const auto& attribute : link.attributes) {
            if (link.has_target || &attribute != &link.attributes.front()) out.push_back(';');
            write_attribute(attribute, out);
        }
    }
    return out;
}

}  // namespace lanyard::lwm2m
