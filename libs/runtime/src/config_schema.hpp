#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config_node.hpp"
#include "runtime/config.hpp"

namespace lanyard::runtime {

// One key of a schema: how to set it, print it and talk about it.
struct ConfigKey {
    // What the text of an environment variable or --set is turned into.
    enum class Shape { scalar, text_list, struct_list };

    std::string name;  // full, in its schema
    std::string doc;
    std::string expected;  // "an integer from 16 to 65535"
    Shape shape = Shape::scalar;
    bool secret = false;
    bool hidden = false;  // the `_file` companion of a secret: described with it, not printed

    // `where` is the source with a line; only for entries of lists, which have their own. An error is what is wrong
    // with the value, and becomes the end of the message; errors from entries of lists are complete.
    std::function<Result<void>(const ConfigNode&, const std::string& source)> set;
    std::function<std::string()> render;       // the present value: inline text, or lines of a block after "name:"
    std::function<std::string()> render_more;  // further comment lines; may be empty
    std::function<bool()> complete;            // false: it must be given; may be empty
    std::string default_text;
};

struct Schema::Impl {
    std::string path;  // in front of all names in messages: "tenants[2]."
    std::vector<ConfigKey> keys;
    std::vector<std::string> warnings;

    ConfigKey& add(ConfigKey key);
    [[nodiscard]] const ConfigKey* find(std::string_view name) const;
    [[nodiscard]] bool is_section(std::string_view name) const;

    // Sets the keys under `node`, which is a map, from one source.
    Result<void> apply(const ConfigNode& node, const std::string& source);
    // After all sources: keys that must be given.
    [[nodiscard]] Result<void> finish() const;
    Result<void> load_file(const std::string& name);
    Result<void> load_environment(const std::vector<std::string>& environment);
    Result<void> load_sets(const std::vector<std::string>& sets);

    [[nodiscard]] std::string print(bool documented) const;

  private:
    using Given = std::set<std::string>;
    Result<void> apply_map(const ConfigNode& node, const std::string& prefix, const std::string& source, Given& given);
    Result<void> apply_text(const ConfigKey& key, const std::string& text, const std::string& source);
    Result<void> set(const ConfigKey& key, const ConfigNode& node, const std::string& source);
    [[nodiscard]] Error unknown(const std::string& name, const std::string& where) const;
    [[nodiscard]] Result<void> check_secrets(const Given& given, const std::string& source) const;
};

// "conf.yaml:12", or the source alone.
std::string place(const std::string& source, const ConfigNode& node);

}  // namespace lanyard::runtime
