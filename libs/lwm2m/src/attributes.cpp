#include "lwm2m/attributes.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>

#include "number_text.hpp"

namespace lanyard::lwm2m {
namespace {

constexpr std::array<std::string_view, 10> kNames{"pmin",  "pmax",  "gt",   "lt",  "st",
                                                  "epmin", "epmax", "edge", "con", "hqmax"};

std::optional<AttributeName> name_from(std::string_view text) {
    const auto at = std::find(kNames.begin(), kNames.end(), text);
    if (at == kNames.end()) return std::nullopt;
    return static_cast<AttributeName>(at - kNames.begin());
}

std::string sentence(AttributeName name, const char* what) {
    return std::string(to_string(name)) + what;
}

Error bad(AttributeName name, const char* what) {
    return make_error(Errc::invalid_argument, sentence(name, what));
}

// The member of `attributes` that belongs to a name, given to `visit`.
template <class A, class Visitor>
auto with_member(A& attributes, AttributeName name, Visitor visit) {
    switch (name) {
        case AttributeName::pmin:
            return visit(attributes.pmin);
        case AttributeName::pmax:
            return visit(attributes.pmax);
        case AttributeName::gt:
            return visit(attributes.gt);
        case AttributeName::lt:
            return visit(attributes.lt);
        case AttributeName::st:
            return visit(attributes.st);
        case AttributeName::epmin:
            return visit(attributes.epmin);
        case AttributeName::epmax:
            return visit(attributes.epmax);
        case AttributeName::edge:
            return visit(attributes.edge);
        case AttributeName::con:
            return visit(attributes.con);
        case AttributeName::hqmax:
            break;
    }
    return visit(attributes.hqmax);
}

// Parsers and writers by the type of the member.
bool parse_into(std::string_view text, std::optional<std::uint32_t>& out) {
    const auto number = parse_uint64(text);
    if (!number || *number > UINT32_MAX) return false;
    out = static_cast<std::uint32_t>(*number);
    return true;
}
bool parse_into(std::string_view text, std::optional<double>& out) {
    out = parse_double(text);
    return out.has_value();
}
bool parse_into(std::string_view text, std::optional<bool>& out) {
    if (text != "0" && text != "1") return false;
    out = text == "1";
    return true;
}

std::string text_of(std::uint32_t value) {
    return std::to_string(value);
}
std::string text_of(double value) {
    return plain_decimal(value);
}
std::string text_of(bool value) {
    return value ? "1" : "0";
}

Result<void> set(Attributes& attributes, AttributeName name, std::string_view value) {
    const bool parsed = with_member(attributes, name, [&](auto& member) { return parse_into(value, member); });
    if (!parsed) return bad(name, ": the value is not a number of its kind");
    return {};
}

template <class T>
void take(std::optional<T>& member, const std::optional<T>& wanted) {
    if (wanted) member = wanted;
}

bool is_numeric(ValueType type) {
    return type == ValueType::integer || type == ValueType::unsigned_integer || type == ValueType::floating ||
           type == ValueType::time || type == ValueType::none;
}

Result<void> validate_level(const Attributes& attributes, const Path& path, ValueType type) {
    for (const auto name : {AttributeName::gt, AttributeName::lt, AttributeName::st, AttributeName::edge}) {
        const bool present = with_member(attributes, name, [](const auto& member) { return member.has_value(); });
        if (!present) continue;
        if (path.size() < 3) return bad(name, ": only on a resource or resource instance");
        const bool fits =
            name == AttributeName::edge ? type == ValueType::boolean || type == ValueType::none : is_numeric(type);
        if (!fits) return bad(name, ": not for the type of this resource");
    }
    return {};
}

}  // namespace

std::string_view to_string(AttributeName name) {
    return kNames[static_cast<std::size_t>(name)];
}

bool Attributes::empty() const {
    return *this == Attributes{};
}

Result<Attributes> parse_attributes(std::span<const std::string_view> query) {
    Attributes attributes;
    std::bitset<kNames.size()> seen;
    for (const auto text : query) {
        const auto equals = text.find('=');
        const auto name = name_from(text.substr(0, equals));
        if (!name) return make_error(Errc::invalid_argument, "unknown attribute");
        const auto index = static_cast<std::size_t>(*name);
        if (seen.test(index)) return bad(*name, ": given twice");
        seen.set(index);
        if (equals == std::string_view::npos) {
            attributes.unset.push_back(*name);
        } else if (auto done = set(attributes, *name, text.substr(equals + 1)); !done) {
            return done.error();
        }
    }
    return attributes;
}

Result<Attributes> attributes_of(const Link& link) {
    Attributes attributes;
    for (const auto& attribute : link.attributes) {
        const auto name = name_from(attribute.name);
        if (!name || !attribute.value) continue;
        if (auto done = set(attributes, *name, *attribute.value); !done) return done.error();
    }
    return attributes;
}

Attributes merge(Attributes current, const Attributes& change) {
    take(current.pmin, change.pmin);
    take(current.pmax, change.pmax);
    take(current.gt, change.gt);
    take(current.lt, change.lt);
    take(current.st, change.st);
    take(current.epmin, change.epmin);
    take(current.epmax, change.epmax);
    take(current.edge, change.edge);
    take(current.con, change.con);
    take(current.hqmax, change.hqmax);
    for (const auto name : change.unset) {
        with_member(current, name, [](auto& member) { member.reset(); });
    }
    return current;
}

Result<void> validate(const Attributes& attributes, const Path& path, ValueType type) {
    if (auto level = validate_level(attributes, path, type); !level) return level;
    for (const auto& value : {attributes.gt, attributes.lt, attributes.st}) {
        if (value && !std::isfinite(*value)) return make_error(Errc::invalid_argument, "gt, lt, st: must be finite");
    }
    if (attributes.st && *attributes.st < 0) return bad(AttributeName::st, ": must not be negative");
    if (attributes.lt && attributes.gt) {
        if (*attributes.lt >= *attributes.gt) return bad(AttributeName::lt, ": must be less than gt");
        if (attributes.st && *attributes.lt + 2 * *attributes.st >= *attributes.gt) {
            return bad(AttributeName::lt, ": lt + 2 st must be less than gt");
        }
    }
    if (attributes.epmin && attributes.epmax && *attributes.epmin >= *attributes.epmax) {
        return bad(AttributeName::epmin, ": must be less than epmax");
    }
    return {};
}

std::vector<std::string> to_query(const Attributes& attributes) {
    std::vector<std::string> query;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        with_member(attributes, static_cast<AttributeName>(i), [&](const auto& member) {
            if (member) query.push_back(std::string(kNames[i]) + "=" + text_of(*member));
        });
    }
    for (const auto name : attributes.unset) query.emplace_back(to_string(name));
    return query;
}

}  // namespace lanyard::lwm2m
