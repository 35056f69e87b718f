#include "simulator/ack_log.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace lanyard::simulator {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20;

template <class Number>
void append_number(std::string& line, Number value) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    line.append(digits.data(), end);
}

// Endpoint names have no control characters; quotes and backslashes are all that JSON asks to be escaped.
void append_text(std::string& line, std::string_view text) {
    line += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') line += '\\';
        line += c;
    }
    line += '"';
}

}  // namespace

Result<AckLog> AckLog::open(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "we");
    if (file == nullptr) return make_error(Errc::unavailable, path + ": " + std::strerror(errno));
    static_cast<void>(std::setvbuf(file, nullptr, _IOFBF, kBufferBytes));
    return AckLog(file);
}

void AckLog::write(UnixMillis wall_ms, std::string_view endpoint, const device::ExchangeReport& report) {
    line_.assign("{\"ts\":");
    append_number(line_, wall_ms);
    line_ += ",\"ep\":";
    append_text(line_, endpoint);
    line_ += ",\"kind\":\"";
    line_ += device::to_string(report.kind);
    line_ += '"';
    if (!report.path.is_root()) {
        line_ += ",\"path\":\"" + report.path.to_string() + "\"";
        if (report.kind == device::ExchangeKind::notify) {
            line_ += ",\"seq\":";
            append_number(line_, report.sequence & 0xffffff);
        }
        line_ += ",\"value\":";
        append_number(line_, report.value);
    }
    if (!report.location.empty()) {
        line_ += ",\"location\":";
        append_text(line_, report.location);
    }
    line_ += ",\"code\":\"";
    if (report.code != coap::Code::empty) line_ += coap::to_string(report.code);
    line_ += "\",\"latency_us\":";
    append_number(line_, report.latency_us);
    line_ += ",\"transmissions\":";
    append_number(line_, unsigned{report.transmissions});
    line_ += "}\n";
    if (std::fwrite(line_.data(), 1, line_.size(), file_.get()) != line_.size()) failed_ = true;
}

Result<void> AckLog::close() {
    if (std::fclose(file_.release()) != 0 || failed_) {
        return make_error(Errc::unavailable, "the ack log is incomplete: writing failed");
    }
    return {};
}

}  // namespace lanyard::simulator
