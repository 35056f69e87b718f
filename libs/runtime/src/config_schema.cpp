#include "config_schema.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "base/assert.hpp"
#include "config_text.hpp"
#include "system_error.hpp"

namespace lanyard::runtime {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxShownBytes = 120;
constexpr std::string_view kEnvironmentPrefix = "LANYARD_";

std::string shown(const ConfigKey& key, const ConfigNode& node) {
    if (key.secret) return "the value (hidden)";
    switch (node.kind) {
        case ConfigNode::Kind::null:
            return "an empty value";
        case ConfigNode::Kind::list:
            return "a list";
        case ConfigNode::Kind::map:
            return "a map";
        case ConfigNode::Kind::scalar:
            break;
    }
    if (node.scalar.size() <= kMaxShownBytes) return quoted(node.scalar);
    return quoted(node.scalar.substr(0, kMaxShownBytes)) + "...";
}

// Kubernetes puts LANYARD_X_SERVICE_HOST, LANYARD_X_PORT, LANYARD_X_PORT_80_TCP_ADDR and so on into every container
// of a namespace that has a service named lanyard-x.
bool from_service_links(std::string_view name) {
    return name.find("_SERVICE_HOST") != std::string_view::npos ||
           name.find("_SERVICE_PORT") != std::string_view::npos || name.find("_PORT_") != std::string_view::npos ||
           name.ends_with("_PORT");
}

Result<ConfigNode> text_to_node(const ConfigKey& key, const std::string& text, const std::string& source) {
    const bool yaml_list = !text.empty() && text.front() == '[';
    if (key.shape == ConfigKey::Shape::struct_list || (key.shape == ConfigKey::Shape::text_list && yaml_list)) {
        return parse_yaml(text, source, false);
    }
    if (key.shape == ConfigKey::Shape::scalar) return ConfigNode::of(text);
    ConfigNode node;
    node.kind = ConfigNode::Kind::list;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        node.list.push_back(ConfigNode::of(text.substr(at, comma - at)));
        at = comma + 1;
    }
    return node;
}

}  // namespace

std::string place(const std::string& source, const ConfigNode& node) {
    return node.line > 0 ? source + ":" + std::to_string(node.line) : source;
}

ConfigKey& Schema::Impl::add(ConfigKey key) {
    for (const ConfigKey& other : keys) {
        // Also "a.b_c" beside "a_b.c", which one variable would set.
        LANYARD_ASSERT(environment_name(other.name) != environment_name(key.name));
    }
    return keys.emplace_back(std::move(key));
}

const ConfigKey* Schema::Impl::find(std::string_view name) const {
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

bool Schema::Impl::is_section(std::string_view name) const {
    const std::string prefix = std::string(name) + ".";
    return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name.starts_with(prefix); });
}

Result<void> Schema::Impl::apply(const ConfigNode& node, const std::string& source) {
    Given given;
    if (node.kind == ConfigNode::Kind::null) return {};
    if (node.kind != ConfigNode::Kind::map) {
        const std::string entry = path.empty() ? "" : path.substr(0, path.size() - 1) + ": ";
        return make_error(Errc::invalid_argument, place(source, node) + ": " + entry + "a map of keys is expected");
    }
    if (auto done = apply_map(node, "", source, given); !done) return done;
    return check_secrets(given, source);
}

Result<void> Schema::Impl::apply_map(const ConfigNode& node, const std::string& prefix, const std::string& source,
                                     Given& given) {
    for (const auto& [name, value] : node.map) {
        const std::string full = prefix + name;
        if (const ConfigKey* key = find(full)) {
            if (!given.insert(full).second) {
                return make_error(Errc::invalid_argument,
                                  place(source, value) + ": " + path + full + " is given twice");
            }
            if (auto done = set(*key, value, source); !done) return done;
        } else if (!is_section(full)) {
            return unknown(full, place(source, value));
        } else if (value.kind == ConfigNode::Kind::map) {
            if (auto done = apply_map(value, full + ".", source, given); !done) return done;
        } else if (value.kind != ConfigNode::Kind::null) {
            return make_error(Errc::invalid_argument,
                              place(source, value) + ": " + path + full + " is a section: a map of keys is expected");
        }
    }
    return {};
}

Result<void> Schema::Impl::set(const ConfigKey& key, const ConfigNode& node, const std::string& source) {
    const auto wrong = [&](const std::string& reason) {
        return make_error(Errc::invalid_argument, place(source, node) + ": " + path + key.name + ": " + reason);
    };
    if (key.shape == ConfigKey::Shape::scalar && node.kind != ConfigNode::Kind::scalar) {
        return wrong(shown(key, node) + " is not allowed, expected " + key.expected);
    }
    if (key.shape != ConfigKey::Shape::scalar && node.kind != ConfigNode::Kind::list) {
        return wrong(shown(key, node) + " is not allowed, expected " + key.expected);
    }
    auto done = key.set(node, source);
    if (done || key.shape == ConfigKey::Shape::struct_list) return done;
    if (!done.error().message.empty()) return wrong(done.error().message);
    return wrong(shown(key, node) + " is not allowed, expected " + key.expected);
}

Error Schema::Impl::unknown(const std::string& name, const std::string& where) const {
    std::set<std::string> known;
    for (const ConfigKey& key : keys) {
        known.insert(key.name);
        for (auto dot = key.name.find('.'); dot != std::string::npos; dot = key.name.find('.', dot + 1)) {
            known.insert(key.name.substr(0, dot));
        }
    }
    std::string message = where + ": unknown key " + path + name;
    const std::string meant = nearest(name, {known.begin(), known.end()});
    if (!meant.empty()) message += ", did you mean " + path + meant + "?";
    return make_error(Errc::invalid_argument, std::move(message));
}

Result<void> Schema::Impl::check_secrets(const Given& given, const std::string& source) const {
    for (const ConfigKey& key : keys) {
        if (key.secret && given.contains(key.name) && given.contains(key.name + "_file")) {
            return make_error(Errc::invalid_argument, source + ": " + path + key.name + " and " + path + key.name +
                                                          "_file are both given, expected one of them");
        }
    }
    return {};
}

Result<void> Schema::Impl::finish() const {
    for (const ConfigKey& key : keys) {
        if (key.complete && !key.complete()) {
            return make_error(Errc::invalid_argument, path + key.name + ": is not set, expected " + key.expected);
        }
    }
    return {};
}

Result<void> Schema::Impl::load_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) return make_error(Errc::not_found, "configuration file " + name + ": " + error_text());
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.size() > kMaxFileBytes) return make_error(Errc::too_large, name + ": longer than 1 MiB");
    auto node = parse_yaml(text, name);
    if (!node) return node.error();
    return apply(*node, name);
}

Result<void> Schema::Impl::apply_text(const ConfigKey& key, const std::string& text, const std::string& source) {
    auto node = text_to_node(key, text, source);
    if (!node) return node.error();
    return set(key, *node, source);
}

Result<void> Schema::Impl::load_environment(const std::vector<std::string>& environment) {
    Given given;
    for (const std::string& entry : environment) {
        const std::string name = entry.substr(0, entry.find('='));
        if (!name.starts_with(kEnvironmentPrefix) || name.size() == entry.size()) continue;
        const auto key = std::find_if(keys.begin(), keys.end(),
                                      [&](const ConfigKey& known) { return environment_name(known.name) == name; });
        if (key == keys.end()) {
            if (!from_service_links(name)) warnings.push_back("environment variable " + name + " names no key");
            continue;
        }
        given.insert(key->name);
        if (auto done = apply_text(*key, entry.substr(name.size() + 1), "environment " + name); !done) return done;
    }
    return check_secrets(given, "environment");
}

Result<void> Schema::Impl::load_sets(const std::vector<std::string>& sets) {
    for (const std::string& entry : sets) {
        const auto equals = entry.find('=');
        const std::string name = entry.substr(0, equals);
        if (equals == std::string::npos) {
            return make_error(Errc::invalid_argument, "--set " + quoted(entry) + ": key=value is expected");
        }
        const ConfigKey* key = find(name);
        if (key == nullptr) return unknown(name, "--set");
        if (auto done = apply_text(*key, entry.substr(equals + 1), "--set"); !done) return done;
    }
    return {};
}

Schema::Schema() : impl_(std::make_unique<Impl>()) {}
Schema::~Schema() = default;

Binder Schema::binder() {
    return Binder(*this, "");
}

Result<void> Schema::load(const ConfigSources& sources) {
    impl_->warnings.clear();
    if (sources.file) {
        if (auto done = impl_->load_file(*sources.file); !done) return done;
    }
    if (auto done = impl_->load_environment(sources.environment); !done) return done;
    if (auto done = impl_->load_sets(sources.sets); !done) return done;
    return impl_->finish();
}

const std::vector<std::string>& Schema::warnings() const {
    return impl_->warnings;
}

std::vector<std::string> ConfigSources::process_environment() {
    std::vector<std::string> out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) out.emplace_back(*entry);
    return out;
}

}  // namespace lanyard::runtime
