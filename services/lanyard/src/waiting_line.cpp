#include "waiting_line.hpp"

#include <cstdio>
#include <utility>

#include <unistd.h>

namespace lanyard::cli {
namespace {

using namespace std::chrono_literals;

constexpr const char* kClearLine = "\r\033[K";

}  // namespace

WaitingLine::WaitingLine(std::string what) {
    if (::isatty(STDERR_FILENO) != 1) return;
    thread_ = runtime::Thread("waiting", [this, what = std::move(what)] { run(what); });
}

WaitingLine::~WaitingLine() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_all();
}  // then thread_ joins itself

void WaitingLine::run(const std::string& what) {
    std::chrono::seconds waited{0};
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, 1s, [this] { return over_; })) {
        ++waited;
        std::fputs(text(what, waited).c_str(), stderr);
        std::fflush(stderr);
    }
    if (waited > 0s) std::fputs(kClearLine, stderr);
}

std::string WaitingLine::text(std::string_view what, std::chrono::seconds waited) {
    if (waited < 1s) return {};
    return kClearLine + ("waiting for " + std::string(what)) + " ... " + std::to_string(waited.count()) + " s";
}

grpc::Status make_call(const ClientOptions& options, std::string what,
                       const std::function<grpc::Status(grpc::ClientContext*)>& call) {
    grpc::ClientContext context;
    options.apply(context);
    const WaitingLine waiting(std::move(what));
    return call(&context);
}

}  // namespace lanyard::cli
