#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "runtime/file_descriptor.hpp"

namespace lanyard::runtime {

// Waits for file descriptors (epoll, level-triggered). For one thread, except Wakeup::notify.
class Poller {
  public:
    static constexpr std::size_t kMaxReady = 64;

    // Chosen by the caller at add(), given back when the descriptor is ready.
    using Tag = std::uint64_t;
    struct Interest {
        bool read = true;
        bool write = false;
    };
    struct Ready {
        Tag tag = 0;
        bool readable = false;
        bool writable = false;
        bool failed = false;  // EPOLLERR or EPOLLHUP: read or write gives the reason
    };

    Poller();

    // A descriptor is added once, and removed before it is closed.
    void add(int fd, Tag tag, Interest interest);
    void add(int fd, Tag tag) { add(fd, tag, Interest{}); }
    void modify(int fd, Tag tag, Interest interest);
    void remove(int fd);

    // Blocks until something is ready or `timeout` is over (zero polls, rounded up to milliseconds). At most
    // kMaxReady entries, valid until the next call.
    [[nodiscard]] std::span<const Ready> wait(Duration timeout);

  private:
    FileDescriptor epoll_;
    std::vector<Ready> ready_;
};

// An eventfd: notify() from any thread makes fd() readable until clear().
class Wakeup {
  public:
    Wakeup();
    void notify() const;
    void clear() const;
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    FileDescriptor fd_;
};

}  // namespace lanyard::runtime
