#include "client.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "errors.hpp"

namespace lanyard::kafka {
namespace {

void log_line(const rd_kafka_t* client, int severity, const char* facility, const char* text) {
    const auto* config = static_cast<const ClientConfig*>(rd_kafka_opaque(client));
    if (config == nullptr || !config->log) return;
    config->log(severity, std::string(facility) + ": " + text);
}

}  // namespace

Properties::Properties() : conf_(rd_kafka_conf_new()) {
    rd_kafka_conf_set_log_cb(conf_.get(), log_line);
    set("log.connection.close", "false");
}

void Properties::set(const char* name, const std::string& value) {
    char reason[512];
    if (rd_kafka_conf_set(conf_.get(), name, value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK &&
        error_.empty()) {
        error_ = std::string(name) + ": " + reason;
    }
}

void Properties::set_client(const ClientConfig& config) {
    if (config.bootstrap.empty()) error_ = "bootstrap: must name at least one host:port";
    set("bootstrap.servers", config.bootstrap);
    set("client.id", config.client_id);
    for (const auto& [name, value] : config.properties) {
        if (auto done = set_own(name, value); !done && error_.empty()) error_ = done.error().message;
    }
}

Result<void> Properties::set_own(const std::string& name, const std::string& value) {
    char reason[512];
    switch (rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), reason, sizeof reason)) {
        case RD_KAFKA_CONF_OK:
            return {};

        case RD_KAFKA_CONF_UNKNOWN:
            return make_error(Errc::invalid_argument, "\"" + name + "\" is no property of librdkafka");

        case RD_KAFKA_CONF_INVALID:
            break;
    }
    return make_error(Errc::invalid_argument, "\"" + name + "\" does not take its value (hidden)");
}

Result<ClientHandle> Properties::create(rd_kafka_type_t type, const ClientConfig* log) {
    if (!error_.empty()) return make_error(Errc::invalid_argument, "kafka: " + error_);
    // librdkafka hands the opaque back as a mutable pointer; log_line reads it only.
    rd_kafka_conf_set_opaque(conf_.get(), const_cast<ClientConfig*>(log));
    char reason[512];
    rd_kafka_t* client = rd_kafka_new(type, conf_.get(), reason, sizeof reason);
    if (client == nullptr) return make_error(Errc::invalid_argument, std::string("kafka: ") + reason);
    static_cast<void>(conf_.release());  // the client owns it now
    return ClientHandle(client);
}

QueueSignal::~QueueSignal() {
    if (fd_ < 0) return;
    rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
    close(fd_);
}

void QueueSignal::attach(rd_kafka_queue_t* queue) {
    queue_ = queue;
    fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    LANYARD_ASSERT(fd_ >= 0);
    const std::uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, fd_, &one, sizeof one);
    again();  // an event that came before is not the first of a row any more, and nothing would ever be signalled
}

void QueueSignal::clear() const {
    std::uint64_t drained = 0;
    [[maybe_unused]] const auto got = read(fd_, &drained, sizeof drained);
}

void QueueSignal::again() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = write(fd_, &one, sizeof one);
}

void Reachability::on_error(rd_kafka_resp_err_t code, const char* reason) {
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
    const std::lock_guard lock(mutex_);
    reason_ = reason;
    up_.store(false, std::memory_order_relaxed);
}

void Reachability::on_statistics(std::string_view json) {
    if (up() || json.find("\"state\":\"UP\"") == std::string_view::npos) return;
    const std::lock_guard lock(mutex_);
    reason_.clear();
    up_.store(true, std::memory_order_relaxed);
}

std::string Reachability::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

}  // namespace lanyard::kafka
