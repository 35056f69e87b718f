#include "config_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <numeric>

namespace lanyard::runtime {
namespace {

struct Unit {
    std::string_view name;
    Duration length;
};
using namespace std::chrono_literals;
constexpr std::array<Unit, 7> kUnits{
    {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}, {"us", 1us}, {"ns", 1ns}}};

// Levenshtein's edit distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0U : 1U);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

std::string number_text(double value) {
    std::array<char, 32> text;
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    if (text == "0") return Duration::zero();
    const auto bad = [&] {
        return make_error(
            Errc::invalid_argument,
            quoted(text) + " is not a duration: a whole number with ns, us, ms, s, m, h or d is expected");
    };
    std::int64_t count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failed != std::errc() || count < 0) return bad();
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& known : kUnits) {
        if (unit != known.name) continue;
        if (count > Duration::max() / known.length) return bad();
        return count * known.length;
    }
    return bad();
}

std::string format_duration(Duration duration) {
    if (duration == Duration::zero()) return "0s";
    for (const Unit& unit : kUnits) {
        if (duration % unit.length == Duration::zero()) {
            return std::to_string(duration / unit.length) + std::string(unit.name);
        }
    }
    return std::to_string(duration.count()) + "ns";
}

std::string describe(IntRange range) {
    const bool low = range.min != IntRange{}.min;
    const bool high = range.max != IntRange{}.max;
    if (low && high) return "an integer from " + std::to_string(range.min) + " to " + std::to_string(range.max);
    if (low) return "an integer from " + std::to_string(range.min);
    if (high) return "an integer up to " + std::to_string(range.max);
    return "an integer";
}

std::string describe(NumberRange range) {
    const bool low = range.min != NumberRange{}.min;
    const bool high = range.max != NumberRange{}.max;
    if (low && high) return "a number from " + number_text(range.min) + " to " + number_text(range.max);
    if (low) return "a number from " + number_text(range.min);
    if (high) return "a number up to " + number_text(range.max);
    return "a number";
}

std::string describe(DurationRange range) {
    std::string text = "a duration from " + format_duration(range.min);
    if (range.max != Duration::max()) text += " to " + format_duration(range.max);
    return text;
}

std::string quoted(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\x";
            out += kHex[byte >> 4];
            out += kHex[byte & 0xf];
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string comment(std::string_view text, std::string_view indent) {
    constexpr std::size_t kWidth = 118;
    const std::string start = std::string(indent) + "#";
    std::string out;
    std::string line = start;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        if (line.size() + 1 + word.size() > kWidth && line != start) {
            out += line + "\n";
            line = start;
        }
        if (!word.empty()) line.append(" ").append(word);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return out + line + "\n";
}

std::string indented(std::string_view lines, std::string_view indent) {
    std::string out;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        out.append(indent).append(line).append("\n");
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    }
    return out;
}

std::string environment_name(std::string_view key) {
    std::string out = "LANYARD_";
    for (const char c : key) {
        out += c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return out;
}

std::string nearest(std::string_view unknown, const std::vector<std::string>& known) {
    // The right name without its section, or in the wrong one.
    const std::string tail = "." + std::string(unknown.substr(unknown.rfind('.') + 1));
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, unknown.size() / 4) + 1;
    for (const std::string& name : known) {
        const std::size_t d = name.ends_with(tail) ? 1 : distance(unknown, name);
        if (d < best_distance) {
            best = name;
            best_distance = d;
        }
    }
    return best;
}

}  // namespace lanyard::runtime
