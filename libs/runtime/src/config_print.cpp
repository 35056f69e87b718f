#include <algorithm>

#include "config_schema.hpp"
#include "config_text.hpp"

namespace lanyard::runtime {
namespace {

// Keys come in the order of binding; those of one section must stand together, at the place of the first.
std::vector<const ConfigKey*> grouped(const std::vector<ConfigKey>& keys) {
    std::vector<const ConfigKey*> out;
    const auto sections = [](const std::string& name) { return name.substr(0, name.rfind('.') + 1); };
    for (const ConfigKey& key : keys) {
        if (key.hidden) continue;
        // Behind the last key that shares the longest chain of sections.
        auto place = out.end();
        for (std::string shared = sections(key.name); !shared.empty() && place == out.end();) {
            const auto last = std::find_if(out.rbegin(), out.rend(),
                                           [&](const ConfigKey* other) { return other->name.starts_with(shared); });
            if (last != out.rend()) place = last.base();
            shared.pop_back();
            shared = sections(shared);
        }
        out.insert(place, &key);
    }
    return out;
}

std::string upper_first(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

std::string documentation(const ConfigKey& key, const std::string& indent, bool in_list) {
    std::string out = comment(key.doc, indent);
    std::string second = upper_first(key.expected) + ".";
    if (!in_list) second += " " + environment_name(key.name);
    out += comment(second, indent);
    if (key.render_more) out += indented(key.render_more(), indent + "# ");
    return out;
}

}  // namespace

std::string Schema::Impl::print(bool documented) const {
    std::string out;
    std::vector<std::string> open;  // the sections that are open
    for (const ConfigKey* key : grouped(keys)) {
        std::vector<std::string> parts;
        for (std::size_t at = 0; at <= key->name.size();) {
            const std::size_t dot = std::min(key->name.find('.', at), key->name.size());
            parts.push_back(key->name.substr(at, dot - at));
            at = dot + 1;
        }
        const auto common = std::mismatch(open.begin(), open.end(), parts.begin(), parts.end() - 1).first;
        open.erase(common, open.end());
        for (std::size_t depth = open.size(); depth + 1 < parts.size(); ++depth) {
            out += std::string(2 * depth, ' ') + parts[depth] + ":\n";
            open.push_back(parts[depth]);
        }
        const std::string indent(2 * open.size(), ' ');
        if (documented) out += documentation(*key, indent, !path.empty());
        const std::string value = documented ? key->default_text : key->render();
        const bool block = value.starts_with('\n');
        out += indent + parts.back() + (block ? ":\n" + indented(value.substr(1), indent + "  ") : ": " + value + "\n");
    }
    return out;
}

std::string Schema::to_yaml_with_docs() const {
    return impl_->print(true);
}

std::string Schema::effective() const {
    return impl_->print(false);
}

}  // namespace lanyard::runtime
