#include "runtime/event_loop.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/assert.hpp"
#include "runtime/clock.hpp"
#include "runtime/thread.hpp"

namespace lanyard::runtime {
namespace asio = boost::asio;

struct EventLoop::Impl {
    struct Timer {
        asio::steady_timer timer;
        Task task;
        Duration period;  // zero: once
    };

    const std::string name;
    const std::size_t capacity;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::atomic<std::size_t> backlog{0};
    std::atomic<std::uint64_t> last_timer{0};
    std::atomic<bool> stopped{false};
    std::atomic<std::thread::id> loop_thread{};
    std::unordered_map<std::uint64_t, Timer> timers;  // touched by the loop only
    Thread thread;

    Impl(std::string loop_name, std::size_t bound) : name(std::move(loop_name)), capacity(bound) {}

    [[nodiscard]] bool in_loop() const { return loop_thread.load() == std::this_thread::get_id(); }

    void enqueue(Task task) {
        asio::post(io, [this, task = std::move(task)]() mutable {
            backlog.fetch_sub(1, std::memory_order_relaxed);
            task();
        });
    }

    // Runs at once on the loop, so that a timer made and cancelled by the same task is in order.
    template <class F>
    void on_loop(F&& function) {
        if (in_loop()) {
            function();
        } else {
            asio::post(io, std::forward<F>(function));
        }
    }

    TimerId arm(Duration first, Duration period, Task task) {
        const std::uint64_t id = ++last_timer;
        const SteadyTime when = Deadline::in(first).when();
        on_loop([this, id, when, period, task = std::move(task)]() mutable {
            auto [entry, added] = timers.emplace(id, Timer{asio::steady_timer(io), std::move(task), period});
            wait(id, entry->second, when);
        });
        return TimerId{id};
    }

    void wait(std::uint64_t id, Timer& timer, SteadyTime when) {
        timer.timer.expires_at(when);
        timer.timer.async_wait([this, id](boost::system::error_code failed) {
            if (!failed) fire(id);
        });
    }

    // The task is moved out while it runs: it may cancel its own timer.
    void fire(std::uint64_t id) {
        auto entry = timers.find(id);
        if (entry == timers.end()) return;
        Task task = std::move(entry->second.task);
        const Duration period = entry->second.period;
        if (period == Duration::zero()) timers.erase(entry);
        task();
        if (period == Duration::zero()) return;
        entry = timers.find(id);
        if (entry == timers.end()) return;
        entry->second.task = std::move(task);
        SteadyTime next = entry->second.timer.expiry() + period;
        const SteadyTime now = steady_now();
        if (next <= now) next += ((now - next) / period + 1) * period;
        wait(id, entry->second, next);
    }
};

EventLoop::EventLoop(std::string name, std::size_t capacity)
    : impl_(std::make_unique<Impl>(std::move(name), capacity)) {}

EventLoop::~EventLoop() {
    const bool ended = stop(Deadline::never());
    LANYARD_ASSERT(ended);
}

void EventLoop::start() {
    LANYARD_ASSERT(!impl_->thread.joinable());
    impl_->thread = Thread(impl_->name, [impl = impl_.get()] {
        impl->loop_thread.store(std::this_thread::get_id());
        impl->io.run();
        impl->loop_thread.store(std::thread::id());
    });
}

void EventLoop::post(Task task) {
    if (impl_->stopped.load(std::memory_order_acquire)) return;
    impl_->backlog.fetch_add(1, std::memory_order_relaxed);
    impl_->enqueue(std::move(task));
}

bool EventLoop::try_post(Task task) {
    if (impl_->stopped.load(std::memory_order_acquire)) return false;
    if (impl_->backlog.fetch_add(1, std::memory_order_relaxed) >= impl_->capacity) {
        impl_->backlog.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    impl_->enqueue(std::move(task));
    return true;
}

EventLoop::TimerId EventLoop::after(Duration delay, Task task) {
    return impl_->arm(delay, Duration::zero(), std::move(task));
}

EventLoop::TimerId EventLoop::every(Duration period, Task task) {
    LANYARD_ASSERT(period > Duration::zero());
    return impl_->arm(period, period, std::move(task));
}

void EventLoop::cancel(TimerId timer) {
    impl_->on_loop([impl = impl_.get(), id = static_cast<std::uint64_t>(timer)] { impl->timers.erase(id); });
}

bool EventLoop::run_sync(Task task, Deadline deadline) {
    if (in_loop()) {
        task();
        return true;
    }
    std::promise<void> done;
    auto future = done.get_future();
    const auto ran = std::make_shared<std::atomic<bool>>(false);
    post([task = std::move(task), done = std::move(done), ran]() mutable {
        task();
        ran->store(true);
        done.set_value();
    });
    // A task destroyed unrun breaks the promise, which ends the wait too.
    if (deadline.is_never()) {
        future.wait();
    } else if (future.wait_until(deadline.when()) != std::future_status::ready) {
        return false;
    }
    return ran->load();
}

bool EventLoop::stop(Deadline deadline) {
    LANYARD_ASSERT(!in_loop());
    impl_->stopped.store(true, std::memory_order_release);
    impl_->io.stop();
    return impl_->thread.join(deadline);
}

bool EventLoop::in_loop() const {
    return impl_->in_loop();
}

std::size_t EventLoop::backlog() const {
    return impl_->backlog.load(std::memory_order_relaxed);
}

asio::io_context& EventLoop::context() {
    return impl_->io;
}

}  // namespace lanyard::runtime
