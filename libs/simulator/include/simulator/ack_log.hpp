#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "device/fleet.hpp"

namespace lanyard::simulator {

// Writes down every acknowledgement that a fleet has received, for a checker that knows nothing of the platform: one
// JSON object a line, in the order of arrival.
//
//   {"ts":1700000000123,"ep":"sensor-0000001","kind":"notify","path":"/3303/0/5700","seq":7,"value":21.37,
//    "code":"","latency_us":812,"transmissions":1}
//   {"ts":1700000000124,"ep":"sensor-0000001","kind":"register","location":"rd/aaaac3…","code":"2.01",…}
//
// ts: receive time, Unix ms. kind: register, update, deregister, notify, send. code: of the answer, empty for the ACK
// of a notification. path and value with notify and send, seq (the Observe value) with notify, location (the
// registration meant) with the others. Exchanges that failed are not in it. Buffered; complete after close() or
// destruction. For one thread.
class AckLog {
  public:
    // Begins a new file. unavailable: it cannot be written.
    [[nodiscard]] static Result<AckLog> open(const std::string& path);

    void write(UnixMillis wall_ms, std::string_view endpoint, const device::ExchangeReport& report);
    // unavailable when something could not be written since open().
    [[nodiscard]] Result<void> close();

  private:
    struct Close {
        void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
    };
    explicit AckLog(std::FILE* file) : file_(file) {}

    std::unique_ptr<std::FILE, Close> file_;
    std::string line_;
    bool failed_ = false;
};

}  // namespace lanyard::simulator
