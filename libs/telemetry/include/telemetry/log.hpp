#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/time.hpp"

namespace lanyard::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error, off };
// json: one JSON object per line, for collectors. text: `time LEVEL service message key=value`, for people.
enum class LogFormat : std::uint8_t { json, text };

std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

using FieldValue = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

// One key with its value, alive only for the log call: text is borrowed. Keys are literals in snake_case with the
// unit last (`wait_ms`). A lanyard::Secret converts to none of the alternatives, so it does not compile here.
struct Field {
    template <class T>
    Field(std::string_view field_key, const T& field_value) : key(field_key), value(convert(field_value)) {}

    std::string_view key;
    FieldValue value;

  private:
    template <class T>
    static FieldValue convert(const T& v) {
        if constexpr (std::same_as<T, bool>) {
            return v;
        } else if constexpr (std::signed_integral<T>) {
            return static_cast<std::int64_t>(v);
        } else if constexpr (std::unsigned_integral<T>) {
            return static_cast<std::uint64_t>(v);
        } else if constexpr (std::floating_point<T>) {
            return static_cast<double>(v);
        } else {
            static_assert(std::convertible_to<const T&, std::string_view>, "not a loggable type");
            return std::string_view(v);
        }
    }
};

using Fields = std::initializer_list<Field>;

// Where finished lines go. write() gets one line with its newline and may be called from any thread.
class LogSink {
  public:
    virtual ~LogSink() = default;
    virtual void write(std::string_view line) = 0;
};

// One write(2) per line to standard error, so that lines of several threads do not mix.
std::shared_ptr<LogSink> stderr_sink();

struct LogOptions {
    Level level = Level::info;
    LogFormat format = LogFormat::json;
};

// Writes log lines of one service. Any thread; lines below the level cost one relaxed load.
//
//   log.info("device registered", {{"tenant", tenant}, {"endpoint", endpoint}, {"lifetime_s", 300}});
//
// JSON lines hold ts (RFC 3339, UTC, milliseconds), level, service, msg, then the fields in order. Bytes that are
// not UTF-8 become U+FFFD, control characters are escaped, a value longer than kMaxValueBytes is cut: peers may
// choose values freely. Pass it by reference, there is no global logger: several services live in one process.
class Logger {
  public:
    static constexpr std::size_t kMaxValueBytes = 1024;
    using WallClock = std::function<UnixMillis()>;

    // Without a clock the system clock is used.
    explicit Logger(std::string service, LogOptions options = {}, std::shared_ptr<LogSink> sink = stderr_sink(),
                    WallClock clock = {});

    // A logger for another service or module over the same sink, format and clock, at the present level.
    [[nodiscard]] Logger named(std::string service) const;
    Logger(const Logger& other);
    Logger& operator=(const Logger&) = delete;

    void debug(std::string_view message, Fields fields = {}) const { log(Level::debug, message, fields); }
    void info(std::string_view message, Fields fields = {}) const { log(Level::info, message, fields); }
    void warn(std::string_view message, Fields fields = {}) const { log(Level::warn, message, fields); }
    // For faults of ours or of our infrastructure, never for what a device sent.
    void error(std::string_view message, Fields fields = {}) const { log(Level::error, message, fields); }

    void log(Level level, std::string_view message, Fields fields = {}) const {
        if (enabled(level)) emit(level, message, fields);
    }
    [[nodiscard]] bool enabled(Level level) const { return level >= level_.load(std::memory_order_relaxed); }
    void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }
    [[nodiscard]] const std::string& service() const { return service_; }

  private:
    void emit(Level level, std::string_view message, Fields fields) const;

    std::string service_;
    LogFormat format_;
    std::shared_ptr<LogSink> sink_;
    WallClock clock_;
    std::atomic<Level> level_;
};

}  // namespace lanyard::telemetry
