#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

#include "config_schema.hpp"
#include "config_text.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::runtime {
namespace {

using Shape = ConfigKey::Shape;

// An error without words: the caller says "... is not allowed, expected ...".
Error not_allowed() {
    return make_error(Errc::invalid_argument, "");
}

template <class T>
bool parse_whole(const std::string& text, T& out) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc() && end == text.data() + text.size();
}

std::string number_text(double value) {
    std::array<char, 32> text;
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string flow_list(const std::vector<std::string>& entries) {
    std::string out = "[";
    for (const std::string& entry : entries) out += (out.size() > 1 ? ", " : "") + quoted(entry);
    return out + "]";
}

Result<std::string> read_secret_file(const std::string& name) {
    constexpr std::size_t kMaxSecretBytes = 64 * 1024;
    std::ifstream file(name, std::ios::binary);
    if (!file) return make_error(Errc::invalid_argument, "file " + quoted(name) + " cannot be read");
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.size() > kMaxSecretBytes)
        return make_error(Errc::invalid_argument, "file " + quoted(name) + " is too long");
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

// Adds the key with what it holds now as its default.
ConfigKey& add(Schema::Impl& schema, ConfigKey key) {
    key.default_text = key.render();
    return schema.add(std::move(key));
}

ConfigKey scalar_key(std::string name, std::string_view doc, std::string expected) {
    ConfigKey key;
    key.name = std::move(name);
    key.doc = doc;
    key.expected = std::move(expected);
    return key;
}

std::string join(const std::string& prefix, std::string_view key) {
    return prefix.empty() ? std::string(key) : prefix + "." + std::string(key);
}

std::string choices_text(const std::vector<std::string>& names) {
    std::string out = "one of ";
    for (const std::string& name : names) out += (&name == &names.front() ? "" : ", ") + name;
    return out;
}

}  // namespace

void Binder::add_integer(std::string_view key, IntRange range, std::string_view doc, std::function<std::int64_t()> get,
                         std::function<void(std::int64_t)> set) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, describe(range));
    entry.render = [get] { return std::to_string(get()); };
    entry.set = [range, set](const ConfigNode& node, const std::string&) -> Result<void> {
        std::int64_t value = 0;
        if (!parse_whole(node.scalar, value) || value < range.min || value > range.max) return not_allowed();
        set(value);
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::number(std::string_view key, double* target, NumberRange range, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, describe(range));
    entry.render = [target] { return number_text(*target); };
    entry.set = [range, target](const ConfigNode& node, const std::string&) -> Result<void> {
        double value = 0;
        const bool number = parse_whole(node.scalar, value) && std::isfinite(value);
        if (!number || value < range.min || value > range.max) return not_allowed();
        *target = value;
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::boolean(std::string_view key, bool* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "true or false");
    entry.render = [target] { return std::string(*target ? "true" : "false"); };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        if (node.scalar != "true" && node.scalar != "false") return not_allowed();
        *target = node.scalar == "true";
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::string(std::string_view key, std::string* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "text");
    entry.render = [target] { return quoted(*target); };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        *target = node.scalar;
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::required_string(std::string_view key, std::string* target, std::string_view doc) {
    string(key, target, doc);
    ConfigKey& entry = schema_->impl_->keys.back();
    entry.expected = "text that is not empty";
    entry.complete = [target] { return !target->empty(); };
}

void Binder::duration(std::string_view key, Duration* target, DurationRange range, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, describe(range));
    entry.render = [target] { return format_duration(*target); };
    entry.set = [range, target](const ConfigNode& node, const std::string&) -> Result<void> {
        const auto value = parse_duration(node.scalar);
        if (!value || *value < range.min || *value > range.max) return not_allowed();
        *target = *value;
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::address(std::string_view key, Address* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "IP:port, as 127.0.0.1:5683 or [::1]:5683");
    entry.render = [target] { return quoted(to_string(*target)); };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        const auto value = parse_address(node.scalar);
        if (!value) return not_allowed();
        *target = *value;
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::secret(std::string_view key, Secret* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "text");
    entry.secret = true;
    entry.render = [target] { return std::string(target->empty() ? "\"\"" : "\"(hidden)\""); };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        *target = Secret(node.scalar);
        return {};
    };
    entry.render_more = [name = std::string(key.substr(key.rfind('.') + 1))] {
        return "Or " + name + "_file: the path of a file that holds it.";
    };
    ConfigKey from_file = scalar_key(entry.name + "_file", doc, "the path of a file");
    from_file.hidden = true;
    from_file.render = [] { return std::string("\"\""); };
    from_file.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        auto value = read_secret_file(node.scalar);
        if (!value) return value.error();
        *target = Secret(std::move(*value));
        return {};
    };
    add(*schema_->impl_, std::move(entry));
    add(*schema_->impl_, std::move(from_file));
}

void Binder::add_choice(std::string_view key, std::vector<std::string> names, std::string_view doc,
                        std::function<std::size_t()> get, std::function<void(std::size_t)> set) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, choices_text(names));
    entry.render = [get, names] { return names.at(get()); };
    entry.set = [set, names](const ConfigNode& node, const std::string&) -> Result<void> {
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i] != node.scalar) continue;
            set(i);
            return {};
        }
        return not_allowed();
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::string_list(std::string_view key, std::vector<std::string>* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "a list of texts");
    entry.shape = Shape::text_list;
    entry.render = [target] { return flow_list(*target); };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        std::vector<std::string> values;
        for (const ConfigNode& item : node.list) {
            if (item.kind != ConfigNode::Kind::scalar) return not_allowed();
            values.push_back(item.scalar);
        }
        *target = std::move(values);
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::address_list(std::string_view key, std::vector<Address>* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "a list of IP:port");
    entry.shape = Shape::text_list;
    entry.render = [target] {
        std::vector<std::string> texts;
        for (const Address& address : *target) texts.push_back(to_string(address));
        return flow_list(texts);
    };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        std::vector<Address> values;
        for (const ConfigNode& item : node.list) {
            auto value = parse_address(item.scalar);
            if (!value) return value.error();
            values.push_back(*value);
        }
        *target = std::move(values);
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::properties(std::string_view key, std::map<std::string, std::string>* target, std::string_view doc) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "a list of name=value");
    entry.shape = Shape::text_list;
    entry.secret = true;
    entry.render = [target] {
        std::vector<std::string> texts;
        for (const auto& [name, value] : *target) texts.push_back(name + "=(hidden)");
        return flow_list(texts);
    };
    entry.set = [target](const ConfigNode& node, const std::string&) -> Result<void> {
        std::map<std::string, std::string> values;
        for (std::size_t i = 0; i < node.list.size(); ++i) {
            const std::string& text = node.list[i].scalar;
            const std::size_t equals = text.find('=');
            if (equals == std::string::npos || equals == 0) {
                return make_error(Errc::invalid_argument,
                                  "entry " + std::to_string(i + 1) + " (hidden) is not name=value");
            }
            const std::string name = text.substr(0, equals);
            if (!values.emplace(name, text.substr(equals + 1)).second) {
                return make_error(Errc::invalid_argument, quoted(name) + " is given twice");
            }
        }
        *target = std::move(values);
        return {};
    };
    add(*schema_->impl_, std::move(entry));
}

void Binder::add_list(std::string_view key, std::string_view doc, std::function<std::size_t()> size,
                      std::function<void(std::size_t)> resize, std::function<void(Binder&, std::size_t)> bind_at,
                      std::function<void(Binder&)> bind_example) {
    ConfigKey entry = scalar_key(join(prefix_, key), doc, "a list of maps");
    entry.shape = Shape::struct_list;
    entry.render = [size, bind_at] {
        std::string out;
        for (std::size_t i = 0; i < size(); ++i) {
            Schema item;
            Binder binder = item.binder();
            bind_at(binder, i);
            out += "-" + indented(item.effective(), "  ").substr(1);
        }
        return out.empty() ? "[]" : "\n" + out;
    };
    entry.set = [resize, bind_at, path = schema_->impl_->path + entry.name](const ConfigNode& node,
                                                                            const std::string& source) -> Result<void> {
        resize(node.list.size());
        for (std::size_t i = 0; i < node.list.size(); ++i) {
            Schema item;
            Binder binder = item.binder();
            item.impl_->path = path + "[" + std::to_string(i) + "].";
            bind_at(binder, i);
            if (auto done = item.impl_->apply(node.list[i], source); !done) return done;
            if (auto done = item.impl_->finish(); !done) return done;
        }
        return {};
    };
    entry.render_more = [bind_example] {
        Schema item;
        item.impl_->path = "item.";
        Binder binder = item.binder();
        bind_example(binder);
        return "An entry has:\n" + item.to_yaml_with_docs();
    };
    add(*schema_->impl_, std::move(entry));
}

Binder Binder::section(std::string_view prefix) {
    return Binder(*schema_, join(prefix_, prefix));
}

}  // namespace lanyard::runtime
