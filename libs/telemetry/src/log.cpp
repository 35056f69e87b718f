#include "telemetry/log.hpp"

#include <cerrno>
#include <chrono>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "log_format.hpp"

namespace lanyard::telemetry {
namespace {

class StderrSink final : public LogSink {
  public:
    void write(std::string_view line) override {
        const std::lock_guard lock(mutex_);
        while (!line.empty()) {
            const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
            if (written < 0 && errno == EINTR) continue;
            // A full non-blocking pipe or a closed one: the line is lost rather than the thread.
            if (written <= 0) return;
            line.remove_prefix(static_cast<std::size_t>(written));
        }
    }

  private:
    // Lines longer than PIPE_BUF are not written atomically by the kernel.
    std::mutex mutex_;
};

UnixMillis system_wall_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string_view to_string(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
        case Level::off:
            return "off";
    }
    return "unknown";
}

std::optional<Level> parse_level(std::string_view text) {
    for (const Level level : {Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
        if (text == to_string(level)) return level;
    }
    return std::nullopt;
}

std::shared_ptr<LogSink> stderr_sink() {
    return std::make_shared<StderrSink>();
}

Logger::Logger(std::string service, LogOptions options, std::shared_ptr<LogSink> sink, WallClock clock)
    : service_(std::move(service)),
      format_(options.format),
      sink_(std::move(sink)),
      clock_(clock ? std::move(clock) : WallClock(system_wall_ms)),
      level_(options.level) {}

Logger::Logger(const Logger& other)
    : service_(other.service_),
      format_(other.format_),
      sink_(other.sink_),
      clock_(other.clock_),
      level_(other.level_.load(std::memory_order_relaxed)) {}

Logger Logger::named(std::string service) const {
    Logger copy(*this);
    copy.service_ = std::move(service);
    return copy;
}

void Logger::emit(Level level, std::string_view message, Fields fields) const {
    const LogLine line{clock_(), level, service_, message, fields};
    sink_->write(format_ == LogFormat::json ? format_json(line) : format_text(line));
}

}  // namespace lanyard::telemetry
