#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "handles.hpp"
#include "kafka/config.hpp"

namespace lanyard::kafka {

// Properties for rd_kafka_new, collected with the first error kept.
class Properties {
  public:
    Properties();
    void set(const char* name, const std::string& value);
    // One of the user: the error names the property, never its value, which may be a password.
    [[nodiscard]] Result<void> set_own(const std::string& name, const std::string& value);
    // bootstrap.servers, client.id, log, and last the user's own properties, which win.
    void set_client(const ClientConfig& config);
    [[nodiscard]] rd_kafka_conf_t* handle() { return conf_.get(); }

    // Makes the client. `log` must outlive it.
    [[nodiscard]] Result<ClientHandle> create(rd_kafka_type_t type, const ClientConfig* log);

  private:
    ConfHandle conf_;
    std::string error_;
};

// Wakes an event loop when a librdkafka queue has something.
class QueueSignal {
  public:
    QueueSignal() = default;
    ~QueueSignal();
    QueueSignal(const QueueSignal&) = delete;
    QueueSignal& operator=(const QueueSignal&) = delete;

    // `queue` must outlive the signal.
    void attach(rd_kafka_queue_t* queue);
    [[nodiscard]] int fd() const { return fd_; }
    void clear() const;
    // The queue is not empty yet: librdkafka signals only the first event of a row.
    void again() const;

  private:
    rd_kafka_queue_t* queue_ = nullptr;
    int fd_ = -1;
};

// Whether the cluster can be reached, told by the error and statistics events of a client.
class Reachability {
  public:
    void on_error(rd_kafka_resp_err_t code, const char* reason);
    // `json`: librdkafka's statistics. A broker in state UP ends an outage.
    void on_statistics(std::string_view json);
    [[nodiscard]] bool up() const { return up_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::string reason() const;

  private:
    std::atomic<bool> up_{true};
    mutable std::mutex mutex_;
    std::string reason_;
};

}  // namespace lanyard::kafka
