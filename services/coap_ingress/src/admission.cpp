#include "admission.hpp"

#include <algorithm>

namespace lanyard::coap_ingress {
namespace {

// The window never closes: somebody has to find out that the registry is well again.
constexpr std::size_t kWindowMin = 16;
// Places given to those who come again, of what the registry can do.
constexpr int kReturningShare = 2;

}  // namespace

Admission::Admission(const AdmissionConfig& config, SteadyTime start)
    : config_(config), window_(std::max(kWindowMin, config.window_max / 2)), next_place_(start), round_began_(start) {}

bool Admission::full() {
    if (pending_ < window_) return false;
    was_full_ = true;
    return true;
}

void Admission::answered(SteadyTime sent_at, SteadyTime now, bool stored) {
    if (pending_ > 0) --pending_;
    // Those sent before the round tell of the window before it.
    if (sent_at < round_began_) return;
    ++answers_;
    answer_times_ += stored ? now - sent_at : std::max(now - sent_at, 2 * config_.answer_time);
    if (now - round_began_ >= config_.answer_time / 2) end_round(now);
}

// Shrinks when answers take too long; grows when a full window was answered in half of the time it may take.
void Admission::end_round(SteadyTime now) {
    const Duration mean = answer_times_ / static_cast<Duration::rep>(answers_);
    if (mean > config_.answer_time) {
        const double factor = static_cast<double>(config_.answer_time.count()) / static_cast<double>(mean.count());
        const auto smaller = static_cast<std::size_t>(static_cast<double>(window_) * std::max(factor, 0.5));
        window_ = std::max(smaller, kWindowMin);
    } else if (was_full_ && answers_ >= window_) {
        window_ = std::min(window_ * 2, std::max(config_.window_max, kWindowMin));
    } else if (now - round_began_ < config_.answer_time) {
        return;  // not much of the window was seen yet
    }
    round_began_ = now;
    was_full_ = false;
    answers_ = 0;
    answer_times_ = Duration::zero();
}

std::uint32_t Admission::retry_after(SteadyTime now, std::uint64_t random) {
    using std::chrono::seconds;
    const Duration step = kReturningShare * config_.answer_time / static_cast<Duration::rep>(window_);
    const SteadyTime place = std::max(next_place_, now + config_.retry_min);
    if (place - now <= config_.retry_max) {
        next_place_ = place + step;
        return static_cast<std::uint32_t>(std::chrono::ceil<seconds>(place - now).count());
    }
    const auto first = static_cast<std::uint64_t>(std::chrono::ceil<seconds>(config_.retry_min).count());
    const auto last = static_cast<std::uint64_t>(std::chrono::ceil<seconds>(config_.retry_max).count());
    return static_cast<std::uint32_t>(first + random % (last - first + 1));
}

}  // namespace lanyard::coap_ingress
