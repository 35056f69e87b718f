#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include <grpcpp/grpcpp.h>

#include "client.hpp"
#include "runtime/thread.hpp"

namespace lanyard::cli {

// While it lives, "waiting for WHAT ... N s" stands on stderr from the first second on, if that is a terminal; nothing
// of it is left afterwards.
class WaitingLine {
  public:
    explicit WaitingLine(std::string what);
    ~WaitingLine();
    WaitingLine(const WaitingLine&) = delete;
    WaitingLine& operator=(const WaitingLine&) = delete;

    // The line as it is written, in place of the former one; empty before the first second.
    static std::string text(std::string_view what, std::chrono::seconds waited);

  private:
    void run(const std::string& what);

    std::mutex mutex_;  // over_
    std::condition_variable changed_;
    bool over_ = false;
    runtime::Thread thread_;
};

// Makes one unary call with the deadline of the options, and shows that it takes its time.
[[nodiscard]] grpc::Status make_call(const ClientOptions& options, std::string what,
                                     const std::function<grpc::Status(grpc::ClientContext*)>& call);

}  // namespace lanyard::cli
