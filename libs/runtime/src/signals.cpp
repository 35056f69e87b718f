#include "runtime/signals.hpp"

#include <array>
#include <stdexcept>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/deadline.hpp"
#include "system_error.hpp"

namespace lanyard::runtime {
namespace {

FileDescriptor open_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);  // a closed pipe or socket is an error of its write
    FileDescriptor fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.valid()) throw std::runtime_error("signalfd: " + error_text());
    return fd;
}

int poll_timeout(Deadline deadline) {
    if (deadline.is_never()) return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.remaining()).count();
    return static_cast<int>(std::min<std::int64_t>(left, 1'000'000'000)) + (left > 0 ? 1 : 0);
}

}  // namespace

StopSignals::StopSignals() : signals_(open_signals()) {}

std::optional<std::string> StopSignals::wait(Duration timeout) {
    const Deadline deadline = timeout == Duration::max() ? Deadline::never() : Deadline::in(timeout);
    for (;;) {
        signalfd_siginfo info{};
        if (::read(signals_.get(), &info, sizeof info) == sizeof info) {
            return info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT";
        }
        if (const char* reason = reason_.exchange(nullptr)) {
            requested_.clear();
            return reason;
        }
        std::array<pollfd, 2> fds{{{signals_.get(), POLLIN, 0}, {requested_.fd(), POLLIN, 0}}};
        const int ready = ::poll(fds.data(), fds.size(), poll_timeout(deadline));
        if (ready == 0 && deadline.expired()) return std::nullopt;
    }
}

std::string StopSignals::wait() {
    return wait(Duration::max()).value_or("stopped");
}

void StopSignals::request_stop(const char* reason) {
    reason_.store(reason);
    requested_.notify();
}

}  // namespace lanyard::runtime
