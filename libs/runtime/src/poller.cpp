#include "runtime/poller.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <stdexcept>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "system_error.hpp"

namespace lanyard::runtime {
namespace {

FileDescriptor opened(int fd, const char* what) {
    // Only when the process is out of descriptors, at start-up.
    if (fd < 0) throw std::runtime_error(std::string(what) + ": " + error_text());
    return FileDescriptor(fd);
}

epoll_event event_for(Poller::Tag tag, Poller::Interest interest) {
    epoll_event event{};
    if (interest.read) event.events |= EPOLLIN;
    if (interest.write) event.events |= EPOLLOUT;
    event.data.u64 = tag;
    return event;
}

int to_milliseconds(Duration timeout) {
    if (timeout <= Duration::zero()) return 0;
    // Not ceil(): it overflows near Duration::max().
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    return static_cast<int>(std::min<std::int64_t>(whole, INT_MAX - 1)) + 1;
}

}  // namespace

Poller::Poller() : epoll_(opened(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    ready_.reserve(kMaxReady);
}

void Poller::add(int fd, Tag tag, Interest interest) {
    epoll_event event = event_for(tag, interest);
    LANYARD_ASSERT(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void Poller::modify(int fd, Tag tag, Interest interest) {
    epoll_event event = event_for(tag, interest);
    LANYARD_ASSERT(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0);
}

void Poller::remove(int fd) {
    LANYARD_ASSERT(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) == 0);
}

std::span<const Poller::Ready> Poller::wait(Duration timeout) {
    std::array<epoll_event, kMaxReady> events;
    ready_.clear();
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), to_milliseconds(timeout));
    for (int i = 0; i < count; ++i) {  // -1: interrupted by a signal, like a timeout
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        ready_.push_back({event.data.u64, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                          (event.events & (EPOLLERR | EPOLLHUP)) != 0});
    }
    return ready_;
}

Wakeup::Wakeup() : fd_(opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void Wakeup::notify() const {
    // Fails only when the counter is full, and then fd() is readable anyway.
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

void Wakeup::clear() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(fd_.get(), &count, sizeof count);
}

}  // namespace lanyard::runtime
