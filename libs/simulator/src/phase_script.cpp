#include "simulator/phase_script.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace lanyard::simulator {
namespace {

constexpr std::size_t kMaxLine = 4'096;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) return words;
        line.remove_prefix(begin);
        const std::size_t end = line.find_first_of(" \t\r");
        words.push_back(line.substr(0, end));
        if (end == std::string_view::npos) return words;
        line.remove_prefix(end);
    }
}

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Error bad_phase(std::string_view line, std::string_view what) {
    return make_error(Errc::invalid_argument, "phase '" + std::string(line) + "': " + std::string(what));
}

}  // namespace

Result<LoadPhase> parse_phase(std::string_view line) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() != 4 && words.size() != 5) return bad_phase(line, "must be KIND SECONDS RATE|max WINDOW [TARGET]");
    LoadPhase phase;
    const std::optional<LoadKind> kind = load_kind_from(words[0]);
    const auto seconds = number<double>(words[1]);
    const auto window = number<std::size_t>(words[3]);
    if (!kind) return bad_phase(line, "unknown kind of load");
    if (!seconds || !(*seconds > 0)) return bad_phase(line, "SECONDS must be above 0");
    if (!window || *window == 0 || *window > kMaxWindow) return bad_phase(line, "WINDOW must be 1 to 65536");
    phase.kind = *kind;
    phase.duration = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
    phase.window = *window;
    if (words[2] != "max") {
        phase.rate_per_s = number<double>(words[2]);
        if (!phase.rate_per_s || !(*phase.rate_per_s > 0)) return bad_phase(line, "RATE must be above 0, or max");
    }
    if (words.size() == 5) {
        const Result<Address> target = parse_target(words[4]);
        if (!target) return target.error();
        phase.target = *target;
    }
    if (phase.kind == LoadKind::echo && !phase.target) return bad_phase(line, "echo needs a TARGET");
    return phase;
}

bool PhaseScript::read_more() {
    pollfd readable{fd_, POLLIN, 0};
    if (poll(&readable, 1, 0) <= 0) return true;
    std::array<char, 1024> chunk;
    const ssize_t count = read(fd_, chunk.data(), chunk.size());
    if (count <= 0) return false;
    text_.append(chunk.data(), static_cast<std::size_t>(count));
    return text_.size() <= kMaxLine;
}

SimulateCallbacks::Next PhaseScript::next() {
    std::size_t end = text_.find('\n');
    if (end == std::string::npos) {
        if (!read_more()) return {std::nullopt, true};
        end = text_.find('\n');
        if (end == std::string::npos) return {};
    }
    const std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    if (line == "quit") return {std::nullopt, true};
    const Result<LoadPhase> phase = parse_phase(line);
    if (!phase) {
        std::fprintf(stderr, "error: %s\n", phase.error().message.c_str());
        return {std::nullopt, true};
    }
    return {*phase, false};
}

}  // namespace lanyard::simulator
