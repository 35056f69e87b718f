#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client_metrics.hpp"
#include "connection.hpp"
#include "redis/client.hpp"
#include "request.hpp"

namespace lanyard::redis {

// The thread behind Client. Callers put requests into the inbox; everything else belongs to the thread.
class Client::Impl final : private Connection::Listener {
  public:
    Impl(Config config, StateCallback on_state);
    ~Impl() override;

    void submit(std::unique_ptr<Request> request, std::optional<std::chrono::milliseconds> timeout);
    Script add_script(std::string source);
    [[nodiscard]] State state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] Stats stats() const;
    void stop(std::chrono::milliseconds grace);

  private:
    using Key = std::pair<SteadyTime, std::uint64_t>;

    // Any thread.
    std::optional<Error> admit(std::size_t commands);
    void wake();

    // The thread.
    void run();
    void take_inbox();
    void drive_connection(SteadyTime now);
    void connection_ended(SteadyTime now);
    void expire(SteadyTime now);
    void write_waiting(SteadyTime now);
    void write(Request& request, SteadyTime now);
    void resend_unknown_scripts();
    void ping_if_idle(SteadyTime now);
    void wait(SteadyTime now);
    [[nodiscard]] SteadyTime next_event(SteadyTime now) const;
    [[nodiscard]] bool may_stop(SteadyTime now) const;
    void finish(Request& request, const Error& error);
    void release(Request& request);
    void fail_waiting(const Error& error);
    void fail_all(const Error& error);
    void set_state(State state, const std::string& reason);
    Duration next_backoff();

    // `reply` is null when the connection broke.
    void answer(Slot& slot, const redisReply* reply);

    void on_ready() override;
    void on_reply(void* tag, const redisReply* reply) override;

    const Config config_;
    const StateCallback on_state_;
    int event_fd_;

    std::atomic<State> state_{State::connecting};
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> pending_{0};
    std::atomic<std::uint64_t> commands_{0}, rejected_{0}, replies_{0}, timeouts_{0}, lost_{0}, connects_{0};

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Request>> inbox_;  // guarded by mutex_, as the next three
    std::vector<std::string> new_scripts_;
    bool closed_ = false;  // the thread takes nothing any more
    SteadyTime stop_at_;

    std::vector<std::string> scripts_;
    Connection connection_;
    bool was_open_ = false;
    bool was_ready_ = false;
    SteadyTime opened_at_;
    SteadyTime down_since_;
    SteadyTime next_attempt_;
    SteadyTime last_read_;
    Duration backoff_{};
    std::minstd_rand jitter_;
    std::map<Key, std::unique_ptr<Request>> active_;                // not yet completed, by deadline
    std::unordered_map<Request*, std::unique_ptr<Request>> ended_;  // completed, but still held by hiredis or waiting_
    std::deque<Request*> waiting_;
    std::vector<Slot*> unknown_scripts_;
    std::size_t in_flight_ = 0;
    std::uint64_t next_id_ = 0;
    bool pinging_ = false;
    ClientMetrics metrics_;
    std::mutex join_mutex_;
    std::thread thread_;
};

}  // namespace lanyard::redis
