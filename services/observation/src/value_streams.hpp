#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "lwm2m/path.hpp"
#include "metrics.hpp"
#include "observation/config.hpp"
#include "resume_token.hpp"
#include "runtime/deadline.hpp"
#include "runtime/thread.hpp"
#include "stream_writer.hpp"
#include "telemetry/log.hpp"

namespace lanyard::observation {

// What one StreamValues call wants, checked.
struct StreamRequest {
    std::string parent;
    std::string tenant;
    std::string endpoint;  // empty: all of the tenant
    std::vector<lwm2m::Path> prefixes;
    std::optional<StreamPosition> resume;
};

// The StreamValues calls of this process: each has a consumer and a thread of its own, up to a bound. Thread-safe.
class ValueStreams {
  public:
    ValueStreams(const Config& config, SipKey key, Metrics& metrics, const telemetry::Logger& log);
    ~ValueStreams();

    // Serves the call until it ends. When there are too many it ends at once with RESOURCE_EXHAUSTED.
    void serve(StreamRequest request, std::shared_ptr<StreamWriter> writer);
    // Ends all with UNAVAILABLE; clients resume elsewhere.
    void stop(runtime::Deadline deadline);

  private:
    struct Stream {
        std::shared_ptr<StreamWriter> writer;
        std::atomic<bool> over{false};
        runtime::Thread thread;
    };
    void reap_locked();

    const Config& config_;
    SipKey key_;
    Metrics& metrics_;
    const telemetry::Logger& log_;
    std::mutex mutex_;
    std::list<std::shared_ptr<Stream>> streams_;
    bool stopped_ = false;
};

}  // namespace lanyard::observation
