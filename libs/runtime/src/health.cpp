#include "runtime/health.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "runtime/clock.hpp"

namespace lanyard::runtime {

std::string_view to_string(HealthState state) {
    switch (state) {
        case HealthState::ok:
            return "ok";
        case HealthState::degraded:
            return "degraded";
        case HealthState::down:
            return "down";
    }
    return "unknown";
}

HealthBoard::HealthBoard(Clock clock) : clock_(clock ? std::move(clock) : Clock(steady_now)) {}

HealthBoard::Dependency HealthBoard::add(Options options) {
    const std::lock_guard lock(mutex_);
    LANYARD_ASSERT(std::none_of(entries_.begin(), entries_.end(),
                                [&](const Entry& entry) { return entry.options.name == options.name; }));
    entries_.push_back({std::move(options), HealthState::down, "starting", clock_()});
    return {this, entries_.size() - 1};
}

void HealthBoard::Dependency::set(HealthState state, std::string_view detail) const {
    LANYARD_ASSERT(board_ != nullptr);
    board_->set(index_, state, detail);
}

void HealthBoard::set(std::size_t index, HealthState state, std::string_view detail) {
    const telemetry::Logger* log = nullptr;
    std::string name;
    {
        const std::lock_guard lock(mutex_);
        Entry& entry = entries_[index];
        const bool changed = entry.state != state || !entry.reported;
        if (entry.state != state) entry.since = clock_();
        entry.state = state;
        entry.reported = true;
        if (entry.detail != detail) entry.detail = detail;
        if (state != HealthState::down) entry.was_up = true;
        if (!changed || log_ == nullptr) return;
        log = log_;
        name = entry.options.name;
    }
    const auto level = state == HealthState::ok ? telemetry::Level::info : telemetry::Level::warn;
    log->log(level, "dependency", {{"name", name}, {"state", to_string(state)}, {"detail", detail}});
}

void HealthBoard::log_changes(const telemetry::Logger& log) {
    const std::lock_guard lock(mutex_);
    log_ = &log;
}

void HealthBoard::set_draining() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
}

bool HealthBoard::ready_locked(SteadyTime now) const {
    if (draining_) return false;
    return std::all_of(entries_.begin(), entries_.end(), [now](const Entry& entry) {
        if (!entry.options.required || entry.state != HealthState::down) return true;
        return entry.was_up && now - entry.since < entry.options.tolerance;
    });
}

bool HealthBoard::ready() const {
    const std::lock_guard lock(mutex_);
    return ready_locked(clock_());
}

HealthBoard::Report HealthBoard::report() const {
    const std::lock_guard lock(mutex_);
    const SteadyTime now = clock_();
    Report out{ready_locked(now), draining_, {}};
    for (const Entry& entry : entries_) {
        out.lines.push_back({entry.options.name, entry.options.required, entry.state, entry.detail, now - entry.since});
    }
    return out;
}

}  // namespace lanyard::runtime
