#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "runtime/deadline.hpp"
#include "runtime/task.hpp"

namespace boost::asio {
class io_context;
}

namespace lanyard::runtime {

// One named thread with an Asio io_context: state touched only by its tasks needs no lock ("strand = thread").
//
// post, try_post, after, every and cancel may be called from any thread, also before start(); tasks run in order of
// posting. Tasks must not block and must not throw. After stop() nothing runs any more and what is left is destroyed
// with the loop, so tasks may own resources.
class EventLoop {
  public:
    enum class TimerId : std::uint64_t { none = 0 };

    static constexpr std::size_t kDefaultCapacity = 65536;

    // `capacity` bounds try_post.
    explicit EventLoop(std::string name, std::size_t capacity = kDefaultCapacity);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    void start();

    // For what is bounded elsewhere: completions of requests in flight, control. Always taken until stop().
    void post(Task task);
    // For new work from outside: false when `capacity` tasks wait already, or after stop(); answer
    // resource_exhausted.
    [[nodiscard]] bool try_post(Task task);

    // Runs the task once, not before `delay`.
    TimerId after(Duration delay, Task task);
    // Runs the task every `period`, first after one period. Missed periods are skipped, not caught up.
    TimerId every(Duration period, Task task);
    // On the loop's thread: the task does not run after this returns. From another thread it may run once more.
    // An unknown or finished id is ignored.
    void cancel(TimerId timer);

    // Posts the function and waits for it; runs it directly when called on the loop's thread. False if the deadline
    // passed first (it may still run later, so capture by value) or the loop was stopped.
    [[nodiscard]] bool run_sync(Task task, Deadline deadline);

    // Lets the task that runs finish, then ends the thread. False if it did not end in time. Not on the loop's
    // own thread. May be called again.
    [[nodiscard]] bool stop(Deadline deadline);

    [[nodiscard]] bool in_loop() const;
    // Tasks posted and not yet begun.
    [[nodiscard]] std::size_t backlog() const;
    // For Asio objects that live on this loop.
    [[nodiscard]] boost::asio::io_context& context();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::runtime
