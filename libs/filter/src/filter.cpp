#include "filter/filter.hpp"

#include <algorithm>
#include <bitset>
#include <utility>

#include "base/hash.hpp"
#include "parser.hpp"

namespace lanyard::filter {
namespace {

// FNV-1a, 64 bits: stable, and needs no secret because a token that carries the hash has a MAC of its own.
std::uint64_t fold(std::uint64_t hash, std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
    return (hash ^ 0xffU) * 0x100000001b3ULL;
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text, std::span<const std::string_view> fields) {
    if (text.size() > kMaxText) return make_error(Errc::too_large, "filter: longer than 2048 bytes");
    if (text.find_first_not_of(" \t\n") == std::string_view::npos) return Filter();
    auto steps = Parser(text, fields).run();
    if (!steps) return steps.error();
    Filter filter;
    filter.hash_ = 0xcbf29ce484222325ULL;
    for (const Step& step : *steps) {
        const char head[] = {static_cast<char>(step.op), static_cast<char>(step.prefix ? 1 : 0)};
        filter.hash_ = fold(filter.hash_, std::string_view(head, 2));
        filter.hash_ = fold(fold(filter.hash_, step.field), step.value);
    }
    filter.program_ = std::make_shared<const std::vector<Step>>(std::move(*steps));
    return filter;
}

bool Filter::compare(const Step& step, const Subject& subject) {
    const auto value = subject.field(step.field);
    if (step.op == Op::is_set) return value.has_value();
    if (!value) return step.op == Op::not_equals;
    const bool same = step.prefix ? value->starts_with(step.value) : *value == step.value;
    return same == (step.op == Op::equals);
}

bool Filter::matches(const Subject& subject) const {
    if (!program_) return true;
    std::bitset<kMaxTerms + 1> stack;
    std::size_t size = 0;
    for (const Step& step : *program_) {
        switch (step.op) {
            case Op::logical_not:
                stack.flip(size - 1);
                break;
            case Op::logical_and:
                --size;
                stack[size - 1] = stack[size - 1] && stack[size];
                break;
            case Op::logical_or:
                --size;
                stack[size - 1] = stack[size - 1] || stack[size];
                break;
            default:
                stack[size++] = compare(step, subject);
        }
    }
    return stack[0];
}

}  // namespace lanyard::filter
