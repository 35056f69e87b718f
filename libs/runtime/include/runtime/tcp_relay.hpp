#pragma once

#include <cstddef>
#include <memory>

#include "base/address.hpp"
#include "base/error.hpp"
#include "runtime/deadline.hpp"

namespace lanyard::runtime {

struct TcpRelayOptions {
    Address listen = Address::v4(0x7f000001, 0);  // port 0 takes a free one
    Address target;
    std::size_t max_connections = 256;  // those beyond are closed at once
};

// Passes the bytes of each connection on to `target` and back, on a thread of its own: gives a server that listens on
// a port of its own choice a port that people can know. At most 32 KiB wait in each direction of a connection.
class TcpRelay {
  public:
    // Errors: unavailable when `listen` cannot be bound.
    [[nodiscard]] static Result<std::unique_ptr<TcpRelay>> start(const TcpRelayOptions& options);
    ~TcpRelay();
    TcpRelay(const TcpRelay&) = delete;
    TcpRelay& operator=(const TcpRelay&) = delete;

    // The bound address with the real port.
    [[nodiscard]] Address local() const;
    // Closes all connections and joins the thread.
    void stop(Deadline deadline);

  private:
    struct Impl;
    explicit TcpRelay(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::runtime
