#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace lanyard::runtime {

// A YAML document without yaml-cpp's types. Maps keep their order and duplicate keys.
struct ConfigEntry;
struct ConfigNode {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    int line = 0;  // from 1; 0: not from a file
    std::string scalar;
    std::vector<ConfigNode> list;
    std::vector<ConfigEntry> map;

    static ConfigNode of(std::string text);
};

struct ConfigEntry {
    std::string key;
    ConfigNode value;
};

inline ConfigNode ConfigNode::of(std::string text) {
    ConfigNode node;
    node.kind = Kind::scalar;
    node.scalar = std::move(text);
    return node;
}

// `where` stands in front of errors: a file name, or "--set key". Empty text is a null node. Text that is no file has
// no lines to tell.
[[nodiscard]] Result<ConfigNode> parse_yaml(const std::string& text, std::string_view where, bool with_lines = true);

}  // namespace lanyard::runtime
