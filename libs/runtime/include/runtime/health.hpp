#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "telemetry/log.hpp"

namespace lanyard::runtime {

// ok: works. degraded: works in part or is coming back. down: does not work.
enum class HealthState : std::uint8_t { ok, degraded, down };

std::string_view to_string(HealthState state);

// What one service depends on, and whether it may be sent work. Any thread.
//
// A service is ready when it is not draining and every required dependency is not down. A dependency that was up
// may be down for its `tolerance` before readiness falls, because a flapping readiness breaks UDP flows. One that
// was never up makes the service not ready at once.
class HealthBoard {
  public:
    using Clock = std::function<SteadyTime()>;

    struct Options {
        std::string name;  // "redis", "kafka", "socket:coap"
        bool required = true;
        Duration tolerance = Duration::zero();
    };

    // The way to report one dependency. Copyable; must not outlive the board.
    class Dependency {
      public:
        Dependency() = default;
        // `detail` is one line for the operator: what is wrong and what happens next. Setting the same state and
        // detail again is cheap.
        void set(HealthState state, std::string_view detail = {}) const;
        void ok() const { set(HealthState::ok); }
        void degraded(std::string_view detail) const { set(HealthState::degraded, detail); }
        void down(std::string_view detail) const { set(HealthState::down, detail); }

      private:
        friend class HealthBoard;
        Dependency(HealthBoard* board, std::size_t index) : board_(board), index_(index) {}
        HealthBoard* board_ = nullptr;
        std::size_t index_ = 0;
    };

    struct Line {
        std::string name;
        bool required = true;
        HealthState state = HealthState::down;
        std::string detail;
        Duration since = Duration::zero();  // how long it has been in this state
    };
    struct Report {
        bool ready = false;
        bool draining = false;
        std::vector<Line> lines;
    };

    // Without a clock the steady clock is used.
    explicit HealthBoard(Clock clock = {});
    HealthBoard(const HealthBoard&) = delete;
    HealthBoard& operator=(const HealthBoard&) = delete;

    // From now on every change of a state is a log line, so that an operator sees what a service waits for. The
    // logger must outlive the board.
    void log_changes(const telemetry::Logger& log);

    // Starts as down with the detail "starting". A second one of the same name is a bug of ours.
    Dependency add(Options options);
    // Not ready from now on, whatever the dependencies say. A service sets it when its drain begins, or, if its
    // sessions must be handed over first, at the point where it wants no more work.
    void set_draining();

    [[nodiscard]] bool ready() const;
    [[nodiscard]] Report report() const;

  private:
    struct Entry;
    [[nodiscard]] bool ready_locked(SteadyTime now) const;
    void set(std::size_t index, HealthState state, std::string_view detail);

    Clock clock_;
    const telemetry::Logger* log_ = nullptr;
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    bool draining_ = false;
};

struct HealthBoard::Entry {
    Options options;
    HealthState state = HealthState::down;
    std::string detail;
    SteadyTime since;
    bool was_up = false;
    bool reported = false;
};

}  // namespace lanyard::runtime
