#include "config_node.hpp"

#include <yaml-cpp/yaml.h>

namespace lanyard::runtime {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxNodes = 100'000;

// Thrown and caught in this file only, as yaml-cpp's own errors are.
YAML::Exception at(const YAML::Node& node, const char* message) {
    return {node.Mark(), message};
}

std::string key_text(const YAML::Node& key) {
    if (!key.IsScalar()) throw at(key, "a key must be plain text");
    return key.Scalar();
}

struct Limits {
    bool with_lines;
    std::size_t nodes = 0;
};

ConfigNode convert(const YAML::Node& from, int depth, Limits& limits) {
    if (depth > kMaxDepth) throw at(from, "nested too deeply");
    if (++limits.nodes > kMaxNodes) throw at(from, "too many values");
    ConfigNode out;
    if (limits.with_lines) out.line = from.Mark().line + 1;
    if (from.IsScalar()) {
        out.kind = ConfigNode::Kind::scalar;
        out.scalar = from.Scalar();
    } else if (from.IsSequence()) {
        out.kind = ConfigNode::Kind::list;
        for (const auto& entry : from) out.list.push_back(convert(entry, depth + 1, limits));
    } else if (from.IsMap()) {
        out.kind = ConfigNode::Kind::map;
        for (const auto& entry : from) {
            out.map.push_back({key_text(entry.first), convert(entry.second, depth + 1, limits)});
            // The line of the key: that is where people look, also for an empty value.
            if (limits.with_lines) out.map.back().value.line = entry.first.Mark().line + 1;
        }
    }
    return out;
}

}  // namespace

Result<ConfigNode> parse_yaml(const std::string& text, std::string_view where, bool with_lines) {
    try {
        Limits limits{with_lines};
        return convert(YAML::Load(text), 0, limits);
    } catch (const YAML::Exception& failure) {
        return make_error(Errc::invalid_argument, std::string(where) + ":" + std::to_string(failure.mark.line + 1) +
                                                      ": not valid YAML: " + failure.msg);
    }
}

}  // namespace lanyard::runtime
