#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lanyard::filter {

// Bounds on a filter text; over one of them is Errc::too_large.
inline constexpr std::size_t kMaxText = 2048;
inline constexpr std::size_t kMaxTerms = 64;
inline constexpr std::size_t kMaxDepth = 16;  // nesting of parentheses and NOT

// What a filter is asked about: the values of one device, observation, ...
class Subject {
  public:
    virtual ~Subject() = default;
    // The value of a field that the filter's field list allows ("endpoint", "labels.site"); nothing when it is unset.
    // The view must live until the next call.
    [[nodiscard]] virtual std::optional<std::string_view> field(std::string_view name) const = 0;
};

// A subset of AIP-160 over string fields:
//
//   endpoint = "urn:*" AND (state = ONLINE OR labels.site != "plant-1") AND NOT labels.test = "1"
//
// Comparators are `=`, `!=` and `:` (the same as `=`; with a lone `*` it asks whether the field is set). Values are
// quoted strings (with \" and \\) or bare words of letters, digits and `_ - . / + @`. A value that ends in `*`
// compares as a prefix. As in AIP-160 OR binds tighter than AND. `!=` is true for an unset field.
// Immutable and cheap to copy; any thread.
class Filter {
  public:
    // Matches everything.
    Filter() = default;
    // `fields` are the names that may be asked for; one that ends in ".*" allows any name with that prefix.
    // Empty or blank text matches everything. invalid_argument with the position; too_large.
    [[nodiscard]] static Result<Filter> parse(std::string_view text, std::span<const std::string_view> fields);
    [[nodiscard]] static Result<Filter> parse(std::string_view text, std::initializer_list<std::string_view> fields) {
        return parse(text, std::span(fields.begin(), fields.size()));
    }

    [[nodiscard]] bool matches(const Subject& subject) const;
    [[nodiscard]] bool matches_everything() const { return program_ == nullptr; }
    // The same for texts that differ in spacing only; stable between processes, for page and resume tokens.
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

  private:
    enum class Op : std::uint8_t { equals, not_equals, is_set, logical_and, logical_or, logical_not };
    // One step in reverse Polish notation.
    struct Step {
        Op op = Op::equals;
        bool prefix = false;
        std::string field;
        std::string value;
    };
    class Parser;
    static bool compare(const Step& step, const Subject& subject);

    std::shared_ptr<const std::vector<Step>> program_;
    std::uint64_t hash_ = 0;
};

}  // namespace lanyard::filter
