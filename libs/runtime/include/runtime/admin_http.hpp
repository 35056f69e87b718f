#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "base/error.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::runtime {

struct AdminReply {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

struct AdminOptions {
    Address bind = Address::v4(0x7f000001, 0);  // port 0 takes a free one
    std::size_t max_connections = 32;
    Duration request_timeout = std::chrono::seconds(5);
};

// The operator's HTTP port of a process, on a thread of its own. GET and HEAD only:
//   /metrics          Prometheus text format 0.0.4
//   /livez            200 as long as the process answers
//   /readyz           200 if every service of the process is ready, else 503
//   /readyz?verbose   the same with one line per dependency
//   and what handle() adds.
// There is no authentication: it binds to loopback unless told otherwise, and start() logs a warning when it is not.
// Connections over the bound are closed, slow ones time out.
class AdminServer {
  public:
    // Gets the query without '?'. Runs on the admin thread: must be quick and thread-safe.
    using Handler = std::function<AdminReply(std::string_view query)>;

    AdminServer(AdminOptions options, const telemetry::Logger& log, const telemetry::MetricRegistry& metrics);
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    // Before start(). The board must outlive the server.
    void add_health(std::string service, const HealthBoard& board);
    // Before start(). `path` is exact ("/debug/sessions").
    void handle(std::string path, Handler handler);

    // Errors: unavailable when the address cannot be bound.
    [[nodiscard]] Result<void> start();
    // The bound address with the real port; after start().
    [[nodiscard]] Address local() const;
    // Closes all connections and joins the thread.
    void stop(Deadline deadline);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::runtime
