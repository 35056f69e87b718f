#include "senml.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m {
namespace {

// RFC 8428 section 4.5.3: below this many seconds a time counts from now.
constexpr double kRelativeBelow = 268435456.0;  // 2^28
// Beyond it milliseconds are no longer exact in a double.
constexpr double kTimeLimit = 9007199254740.0;
// RFC 8428 section 4.4: what this library implements.
constexpr std::int64_t kSenmlVersion = 10;

struct FieldName {
    std::string_view member;
    SenmlField field;
};

constexpr std::array kFieldNames{
    FieldName{"bver", SenmlField::base_version},
    FieldName{"bn", SenmlField::base_name},
    FieldName{"bt", SenmlField::base_time},
    FieldName{"bv", SenmlField::base_value},
    FieldName{"n", SenmlField::name},
    FieldName{"t", SenmlField::time},
    FieldName{"v", SenmlField::number},
    FieldName{"vs", SenmlField::text},
    FieldName{"vb", SenmlField::boolean},
    FieldName{"vd", SenmlField::data},
    FieldName{"vlo", SenmlField::object_link},
};

Error malformed(std::string_view what) {
    return make_error(Errc::invalid_argument, "senml: " + std::string(what));
}

bool is_number(const Value& value) {
    return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<std::uint64_t>(value) ||
           std::holds_alternative<double>(value) || std::holds_alternative<Time>(value);
}

bool is_value(SenmlField field) {
    return field >= SenmlField::number && field <= SenmlField::object_link;
}

// The type that a field takes; none for the numeric ones, which take any number.
ValueType expected_type(SenmlField field) {
    switch (field) {
        case SenmlField::base_name:
        case SenmlField::name:
        case SenmlField::text:
        case SenmlField::object_link:
            return ValueType::string;
        case SenmlField::boolean:
            return ValueType::boolean;
        case SenmlField::data:
            return ValueType::opaque;
        default:
            return ValueType::none;
    }
}

Result<double> seconds_of(const Value& value) {
    const auto seconds = convert(value, ValueType::floating);
    if (!seconds || !(std::fabs(std::get<double>(*seconds)) < kTimeLimit)) return malformed("time out of range");
    return std::get<double>(*seconds);
}

// RFC 8428 section 4.1: the base value is added. Integers stay integers as long as they fit.
Value sum(const Value& base, const Value& value) {
    const auto* a = std::get_if<std::int64_t>(&base);
    const auto* b = std::get_if<std::int64_t>(&value);
    std::int64_t exact = 0;
    if (a && b && !__builtin_add_overflow(*a, *b, &exact)) return exact;
    const auto x = convert(base, ValueType::floating);
    const auto y = convert(value, ValueType::floating);
    return (x ? std::get<double>(*x) : 0.0) + (y ? std::get<double>(*y) : 0.0);
}

}  // namespace

std::optional<SenmlField> senml_field(std::string_view member) {
    for (const auto& row : kFieldNames) {
        if (row.member == member) return row.field;
    }
    if (member.ends_with('_')) return std::nullopt;
    return SenmlField::other;
}

Result<void> SenmlRecord::set(SenmlField field, Value field_value) {
    if (field == SenmlField::other) return {};
    if (seen.test(static_cast<std::size_t>(field))) return malformed("a field is given twice");
    seen.set(static_cast<std::size_t>(field));
    const ValueType expected = expected_type(field);
    const bool fits = expected == ValueType::none ? is_number(field_value) : type_of(field_value) == expected;
    if (!fits) return malformed("a field has a value of the wrong type");
    if (is_value(field)) {
        if (!std::holds_alternative<std::monostate>(value)) return malformed("a record has two values");
        if (field != SenmlField::object_link) {
            value = std::move(field_value);
            return {};
        }
        const auto link = ObjectLink::parse(std::get<std::string>(field_value));
        if (!link) return link.error();
        value = *link;
        return {};
    }
    switch (field) {
        case SenmlField::base_name:
            base_name = std::move(std::get<std::string>(field_value));
            return {};
        case SenmlField::name:
            name = std::move(std::get<std::string>(field_value));
            return {};
        case SenmlField::base_value:
            base_value = std::move(field_value);
            return {};
        case SenmlField::base_version: {
            const auto version = convert(field_value, ValueType::integer);
            if (version && std::get<std::int64_t>(*version) <= kSenmlVersion) return {};
            return make_error(Errc::unsupported, "senml: version above 10");
        }
        default:
            break;
    }
    const auto seconds = seconds_of(field_value);
    if (!seconds) return seconds.error();
    (field == SenmlField::base_time ? base_time : time) = *seconds;
    return {};
}

Result<Path> SenmlResolver::path_of(const std::string& name) const {
    if (base_name_.size() + name.size() > kMaxNameBytes + kMaxRootPathBytes) return malformed("name too long");
    const std::string full = base_name_ + name;
    if (full.empty()) return malformed("a record without name");
    std::string_view rest = full;
    const std::string_view root = sink_.context().root_path;
    if (!root.empty() && rest.starts_with(root) && (rest.size() == root.size() || rest[root.size()] == '/')) {
        rest.remove_prefix(root.size());
    }
    return Path::parse(rest);
}

Result<std::optional<UnixMillis>> SenmlResolver::time_of(std::optional<double> time) const {
    if (!time && !base_time_) return std::optional<UnixMillis>();
    const double seconds = base_time_.value_or(0) + time.value_or(0);
    if (!(std::fabs(seconds) < kTimeLimit)) return malformed("time out of range");
    const auto millis = static_cast<UnixMillis>(std::llround(seconds * 1000));
    const UnixMillis origin = seconds < kRelativeBelow ? sink_.context().received_ms : 0;
    return std::optional(origin + millis);
}

Result<void> SenmlResolver::add(SenmlRecord&& record) {
    if (record.base_name) base_name_ = std::move(*record.base_name);
    if (record.base_time) base_time_ = record.base_time;
    if (record.base_value) base_value_ = std::move(record.base_value);
    const auto path = path_of(record.name);
    if (!path) return path.error();
    const auto time = time_of(record.time);
    if (!time) return time.error();
    if (base_value_ && is_number(record.value)) record.value = sum(*base_value_, record.value);
    return sink_.add(*path, std::move(record.value), *time);
}

Result<std::vector<SenmlOutput>> senml_outputs(const Path& base, std::span<const Record> records) {
    std::vector<SenmlOutput> outputs;
    outputs.reserve(records.size());
    const bool whole = records.size() == 1 && records.front().path == base;
    // The root as base name would save nothing. A record of `base` itself has no place below "base/".
    const bool relative =
        !base.is_root() && std::none_of(records.begin(), records.end(), [&](const auto& r) { return r.path == base; });
    const std::string base_name = whole ? base.to_string() : base.to_string() + "/";
    for (const auto& record : records) {
        const auto* real = std::get_if<double>(&record.value);
        if (real && !std::isfinite(*real)) return malformed("a number is not finite");
        SenmlOutput output;
        output.value = &record.value;
        if (record.time) output.time = static_cast<double>(*record.time) / 1000;
        if (outputs.empty() && (whole || relative)) output.base_name = base_name;
        if (!whole) output.name = relative ? record.path.to_string().substr(base_name.size()) : record.path.to_string();
        outputs.push_back(std::move(output));
    }
    return outputs;
}

}  // namespace lanyard::lwm2m
