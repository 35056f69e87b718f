#include "client_impl.hpp"

#include <algorithm>
#include <array>

#include <hiredis/hiredis.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "base/hex.hpp"
#include "convert.hpp"

namespace lanyard::redis {
namespace {

// Connections are attempted one at a time, so a wait is never longer than this, whatever the configuration.
constexpr std::chrono::seconds kWaitMax{1};

SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}

double seconds_between(SteadyTime from, SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Client::Impl::Impl(Config config, StateCallback on_state)
    : config_(std::move(config)),
      on_state_(std::move(on_state)),
      event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      connection_(config_, scripts_, *this),
      jitter_(std::random_device{}()),
      metrics_(config_.metrics, [this] { return stats(); }) {
    LANYARD_ASSERT(event_fd_ >= 0);
    down_since_ = next_attempt_ = clock_now();
    backoff_ = config_.backoff_min;
    thread_ = std::thread([this] { run(); });
}

Client::Impl::~Impl() {
    stop(std::chrono::milliseconds(0));
    close(event_fd_);
}

void Client::Impl::submit(std::unique_ptr<Request> request, std::optional<std::chrono::milliseconds> timeout) {
    request->arm();
    if (request->slots.empty()) {
        request->complete({});
        return;
    }
    if (const auto refused = admit(request->slots.size())) {
        rejected_.fetch_add(request->slots.size(), std::memory_order_relaxed);
        request->complete(*refused);
        return;
    }
    request->deadline = clock_now() + timeout.value_or(config_.command_timeout);
    const std::size_t count = request->slots.size();
    std::unique_lock lock(mutex_);
    if (closed_) {
        lock.unlock();
        pending_.fetch_sub(count, std::memory_order_relaxed);
        request->complete(make_error(Errc::cancelled, "redis: the client is stopping"));
        return;
    }
    const bool first = inbox_.empty();
    inbox_.push_back(std::move(request));
    lock.unlock();
    commands_.fetch_add(count, std::memory_order_relaxed);
    if (first) wake();
}

std::optional<Error> Client::Impl::admit(std::size_t commands) {
    if (stopping_.load(std::memory_order_acquire)) return make_error(Errc::cancelled, "redis: the client is stopping");
    if (state() == State::down) return make_error(Errc::unavailable, "redis: not connected");
    if (pending_.fetch_add(commands, std::memory_order_relaxed) + commands > config_.queue_max) {
        pending_.fetch_sub(commands, std::memory_order_relaxed);
        return make_error(Errc::resource_exhausted,
                          "redis: " + std::to_string(config_.queue_max) + " commands are waiting already (queue_max)");
    }
    return std::nullopt;
}

Script Client::Impl::add_script(std::string source) {
    Bytes digest(SHA_DIGEST_LENGTH);
    SHA1(as_bytes(source).data(), source.size(), digest.data());
    {
        const std::lock_guard lock(mutex_);
        new_scripts_.push_back(std::move(source));
    }
    wake();
    return Script(to_hex(digest));
}

Stats Client::Impl::stats() const {
    return Stats{.commands = commands_,
                 .rejected = rejected_,
                 .replies = replies_,
                 .timeouts = timeouts_,
                 .lost = lost_,
                 .connects = connects_,
                 .pending = pending_};
}

void Client::Impl::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_fd_, &one, sizeof one);
}

void Client::Impl::stop(std::chrono::milliseconds grace) {
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_) stop_at_ = clock_now() + grace;
        stopping_ = true;
    }
    wake();
    const std::lock_guard lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
}

void Client::Impl::run() {
    // hiredis writes with write(2): a broken connection must be an error, not a signal.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
        const SteadyTime now = clock_now();
        take_inbox();
        drive_connection(now);
        expire(now);
        write_waiting(now);
        if (may_stop(now)) break;
        wait(now);
    }
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    take_inbox();
    fail_all(make_error(Errc::cancelled, "redis: the client was stopped"));
    connection_.close("stopped");
    ended_.clear();
}

bool Client::Impl::may_stop(SteadyTime now) const {
    if (!stopping_.load(std::memory_order_acquire)) return false;
    const std::lock_guard lock(mutex_);
    return now >= stop_at_ || (inbox_.empty() && active_.empty());
}

void Client::Impl::take_inbox() {
    std::vector<std::unique_ptr<Request>> taken;
    std::vector<std::string> sources;
    {
        const std::lock_guard lock(mutex_);
        taken.swap(inbox_);
        sources.swap(new_scripts_);
    }
    if (connection_.is_ready()) connection_.load(sources);
    for (auto& source : sources) scripts_.push_back(std::move(source));
    for (auto& request : taken) {
        Request& added = *request;
        added.id = ++next_id_;
        added.holds = 1;
        waiting_.push_back(&added);
        active_.emplace(Key{added.deadline, added.id}, std::move(request));
    }
}

void Client::Impl::drive_connection(SteadyTime now) {
    if (was_open_ && !connection_.is_open()) connection_ended(now);
    if (!connection_.is_open() && now >= next_attempt_) {
        opened_at_ = now;
        was_open_ = true;
        connection_.open();
        if (!connection_.is_open()) connection_ended(now);
    } else if (connection_.is_open() && !connection_.is_ready() && now >= opened_at_ + config_.connect_timeout) {
        connection_.close("no answer within connect_timeout");
        connection_ended(now);
    }
    const bool late = !connection_.is_ready() && now >= down_since_ + config_.unavailable_after;
    if (late) {
        if (state() != State::down) set_state(State::down, connection_.reason());
        fail_waiting(make_error(Errc::unavailable, "redis: not connected"));
    }
}

void Client::Impl::connection_ended(SteadyTime now) {
    was_open_ = false;
    for (Slot* slot : std::exchange(unknown_scripts_, {})) answer(*slot, nullptr);
    pinging_ = false;
    if (was_ready_) {
        was_ready_ = false;
        down_since_ = now;
        set_state(State::connecting, connection_.reason());
    }
    next_attempt_ = now + next_backoff();
}

Duration Client::Impl::next_backoff() {
    const Duration base = backoff_;
    backoff_ = std::min<Duration>(backoff_ * 2, config_.backoff_max);
    std::uniform_int_distribution<Duration::rep> spread(0, base.count() / 2);
    return base / 2 + Duration(spread(jitter_));
}

void Client::Impl::on_ready() {
    was_ready_ = true;
    backoff_ = config_.backoff_min;
    last_read_ = clock_now();
    connects_.fetch_add(1, std::memory_order_relaxed);
    set_state(State::ready, "connected");
}

void Client::Impl::set_state(State state, const std::string& reason) {
    state_.store(state, std::memory_order_release);
    if (on_state_) on_state_(state, reason);
}

void Client::Impl::expire(SteadyTime now) {
    bool silent = false;
    while (!active_.empty() && active_.begin()->first.first <= now) {
        Request& request = *active_.begin()->second;
        // Nothing was read since this one was written: the connection is dead, though TCP has not noticed.
        silent = silent || (request.is_written && last_read_ < request.written);
        timeouts_.fetch_add(request.unanswered, std::memory_order_relaxed);
        finish(request, make_error(Errc::deadline_exceeded, "redis: no answer in time"));
    }
    if (silent && connection_.is_ready()) {
        connection_.close("the server does not answer");
        connection_ended(now);
    }
}

void Client::Impl::write_waiting(SteadyTime now) {
    if (!connection_.is_ready()) return;
    resend_unknown_scripts();
    ping_if_idle(now);
    while (!waiting_.empty() && in_flight_ < config_.in_flight_max) {
        Request& request = *waiting_.front();
        waiting_.pop_front();
        if (!ended_.contains(&request)) write(request, now);
        release(request);
    }
    connection_.flush();
}

void Client::Impl::write(Request& request, SteadyTime now) {
    request.written = now;
    request.is_written = true;
    for (Slot& slot : request.slots) {
        ++request.holds;
        ++in_flight_;
        connection_.send(request.batch.encoded(slot.index), &slot);
    }
}

void Client::Impl::resend_unknown_scripts() {
    if (unknown_scripts_.empty()) return;
    connection_.load(scripts_);
    for (Slot* slot : unknown_scripts_) {
        ++in_flight_;
        connection_.send(slot->request->batch.encoded(slot->index), slot);
    }
    unknown_scripts_.clear();
}

void Client::Impl::ping_if_idle(SteadyTime now) {
    if (pinging_ || in_flight_ != 0 || now < last_read_ + config_.ping_interval) return;
    auto ping = std::make_unique<Request>();
    ping->batch.add({"PING"});
    ping->is_internal = true;
    ping->arm();
    ping->deadline = now + config_.command_timeout;
    ping->id = ++next_id_;
    pinging_ = true;
    write(*ping, now);
    active_.emplace(Key{ping->deadline, ping->id}, std::move(ping));
}

void Client::Impl::on_reply(void* tag, const redisReply* reply) {
    Slot& slot = *static_cast<Slot*>(tag);
    --in_flight_;
    if (reply != nullptr) last_read_ = clock_now();
    const bool unknown_script = reply != nullptr && reply->type == REDIS_REPLY_ERROR &&
                                std::string_view(reply->str, reply->len).starts_with("NOSCRIPT");
    if (unknown_script && !slot.retried) {
        slot.retried = true;
        unknown_scripts_.push_back(&slot);  // still holds the request
        return;
    }
    answer(slot, reply);
}

void Client::Impl::answer(Slot& slot, const redisReply* reply) {
    Request& request = *slot.request;
    if (!ended_.contains(&request)) {
        slot.answered = true;
        --request.unanswered;
        if (reply != nullptr) {
            request.results[slot.index] = convert(*reply);
            replies_.fetch_add(request.is_internal ? 0 : 1, std::memory_order_relaxed);
        } else {
            request.results[slot.index] = make_error(Errc::unavailable, "redis: the connection broke");
            lost_.fetch_add(request.is_internal ? 0 : 1, std::memory_order_relaxed);
        }
        if (request.unanswered == 0) {
            if (reply != nullptr) metrics_.answered(seconds_between(request.written, last_read_));
            finish(request, {});
        }
    }
    release(request);
}

void Client::Impl::finish(Request& request, const Error& error) {
    auto node = active_.extract(Key{request.deadline, request.id});
    if (request.is_internal) {
        pinging_ = false;
    } else {
        pending_.fetch_sub(request.slots.size(), std::memory_order_relaxed);
    }
    if (request.holds > 0) ended_.emplace(&request, std::move(node.mapped()));
    request.complete(error);
}

void Client::Impl::release(Request& request) {
    if (--request.holds == 0) ended_.erase(&request);
}

void Client::Impl::fail_waiting(const Error& error) {
    while (!waiting_.empty()) {
        Request& request = *waiting_.front();
        waiting_.pop_front();
        if (!ended_.contains(&request)) finish(request, error);
        release(request);
    }
}

void Client::Impl::fail_all(const Error& error) {
    fail_waiting(error);
    while (!active_.empty()) finish(*active_.begin()->second, error);
}

SteadyTime Client::Impl::next_event(SteadyTime now) const {
    SteadyTime at = now + kWaitMax;
    if (!active_.empty()) at = std::min(at, active_.begin()->first.first);
    if (!connection_.is_open()) {
        at = std::min(at, next_attempt_);
    } else if (!connection_.is_ready()) {
        at = std::min(at, opened_at_ + config_.connect_timeout);
    } else if (in_flight_ == 0) {
        at = std::min(at, last_read_ + config_.ping_interval);
    }
    if (!connection_.is_ready() && state() != State::down) at = std::min(at, down_since_ + config_.unavailable_after);
    if (stopping_) {
        const std::lock_guard lock(mutex_);
        at = std::min(at, stop_at_);
    }
    return at;
}

void Client::Impl::wait(SteadyTime now) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_event(now) - now);
    std::array<pollfd, 2> fds{};
    fds[0] = {event_fd_, POLLIN, 0};
    nfds_t count = 1;
    if (connection_.is_open()) fds[count++] = {connection_.fd(), connection_.events(), 0};
    if (poll(fds.data(), count, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) return;
    if (fds[0].revents != 0) {
        std::uint64_t drained = 0;
        [[maybe_unused]] const auto got = ::read(event_fd_, &drained, sizeof drained);
    }
    if (count == 2 && fds[1].revents != 0) connection_.handle(fds[1].revents);
}

}  // namespace lanyard::redis
