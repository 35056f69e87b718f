#include "runtime/thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sched.h>
#include <signal.h>

namespace lanyard::runtime {
namespace {

// Signals belong to the one thread that waits for them (StopSignals).
void block_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

struct Thread::State {
    std::mutex mutex;
    std::condition_variable ended;
    bool done = false;
    std::thread thread;

    void run(const std::string& name, Task body) {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        block_signals();
        body();
        body = Task();
        const std::lock_guard lock(mutex);
        done = true;
        ended.notify_all();
    }
};

Thread::Thread() = default;

Thread::Thread(std::string name, Task body) : state_(std::make_unique<State>()) {
    state_->thread = std::thread([state = state_.get(), name = std::move(name), task = std::move(body)]() mutable {
        state->run(name, std::move(task));
    });
}

Thread::Thread(Thread&&) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
    if (this != &other) {
        if (joinable()) state_->thread.join();
        state_ = std::move(other.state_);
    }
    return *this;
}

Thread::~Thread() {
    if (joinable()) state_->thread.join();
}

bool Thread::join(Deadline deadline) {
    if (!joinable()) return true;
    {
        std::unique_lock lock(state_->mutex);
        const auto done = [this] { return state_->done; };
        if (deadline.is_never()) {
            state_->ended.wait(lock, done);
        } else if (!state_->ended.wait_until(lock, deadline.when(), done)) {
            return false;
        }
    }
    state_->thread.join();
    return true;
}

bool Thread::joinable() const {
    return state_ != nullptr && state_->thread.joinable();
}

unsigned usable_processors() {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (sched_getaffinity(0, sizeof usable, &usable) != 0) return std::max(1U, std::thread::hardware_concurrency());
    return std::max(1U, static_cast<unsigned>(CPU_COUNT(&usable)));
}

}  // namespace lanyard::runtime
