#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/config.hpp"

struct redisAsyncContext;
struct redisReply;

namespace lanyard::redis {

// One TCP connection through hiredis, with its handshake (AUTH, SELECT, SCRIPT LOAD). Lives on the client's
// thread; does no waiting: the owner polls fd() for events() and calls handle().
class Connection {
  public:
    class Listener {
      public:
        virtual ~Listener() = default;
        virtual void on_ready() = 0;
        // `reply` is null when the connection broke before the answer. Must not call back into the Connection.
        virtual void on_reply(void* tag, const redisReply* reply) = 0;
    };

    // `scripts` are loaded on every connection before on_ready; it may grow meanwhile.
    Connection(const Config& config, const std::vector<std::string>& scripts, Listener& listener)
        : config_(config), scripts_(scripts), listener_(listener) {}
    ~Connection() { close("closed"); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Begins to connect. When that fails at once, the connection is closed again.
    void open();
    // Gives every unanswered command a null reply. Safe when closed.
    void close(std::string reason);

    [[nodiscard]] bool is_open() const { return context_ != nullptr; }
    [[nodiscard]] bool is_ready() const { return context_ != nullptr && ready_; }
    // Why it was closed the last time, for people.
    [[nodiscard]] const std::string& reason() const { return reason_; }

    [[nodiscard]] int fd() const;
    [[nodiscard]] short events() const;
    void handle(short revents);

    // Appends an encoded command to the output. Only when ready.
    void send(std::string_view encoded, void* tag);
    // Loads scripts on a ready connection; a failure shows as NOSCRIPT of the call.
    void load(std::span<const std::string> scripts);
    // Writes the output now instead of at the next poll.
    void flush();

  private:
    struct Hooks;

    void start_handshake();
    void handshake_command(std::initializer_list<std::string_view> args);
    void handshake_reply(const redisReply* reply);
    void connected(bool ok);

    const Config& config_;
    const std::vector<std::string>& scripts_;
    Listener& listener_;
    redisAsyncContext* context_ = nullptr;
    bool want_read_ = false;
    bool want_write_ = false;
    bool ready_ = false;
    bool closing_ = false;
    std::size_t handshake_left_ = 0;
    std::string reason_;
    std::string failure_;
};

}  // namespace lanyard::redis
