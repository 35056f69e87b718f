#include "connection.hpp"

#include <vector>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include "convert.hpp"
#include "redis/command.hpp"

namespace lanyard::redis {

// hiredis calls these C functions; each finds its Connection in the context.
struct Connection::Hooks {
    static Connection& self(void* data) { return *static_cast<Connection*>(data); }
    static Connection& self(const redisAsyncContext* context) { return self(context->data); }

    static void add_read(void* data) { self(data).want_read_ = true; }
    static void del_read(void* data) { self(data).want_read_ = false; }
    static void add_write(void* data) { self(data).want_write_ = true; }
    static void del_write(void* data) { self(data).want_write_ = false; }
    // Called once when hiredis frees the context, whatever the cause.
    static void cleanup(void* data) {
        Connection& c = self(data);
        if (!c.closing_) c.reason_ = c.context_->err != 0 ? c.context_->errstr : "closed by the server";
        c.context_ = nullptr;
        c.ready_ = c.want_read_ = c.want_write_ = false;
    }
    static void on_connect(const redisAsyncContext* context, int status) {
        self(context).connected(status == REDIS_OK);
    }
    static void on_handshake(redisAsyncContext* context, void* reply, void*) {
        self(context).handshake_reply(static_cast<const redisReply*>(reply));
    }
    static void on_reply(redisAsyncContext* context, void* reply, void* tag) {
        self(context).listener_.on_reply(tag, static_cast<const redisReply*>(reply));
    }
    static void on_ignored(redisAsyncContext*, void*, void*) {}
};

void Connection::open() {
    failure_.clear();
    closing_ = false;
    context_ = redisAsyncConnect(config_.host.c_str(), config_.port);
    if (context_ == nullptr) {
        reason_ = "out of memory";
        return;
    }
    context_->data = this;
    if (context_->err != 0) {
        reason_ = context_->errstr;
        auto* failed = context_;
        context_ = nullptr;
        redisAsyncFree(failed);
        return;
    }
    context_->ev.data = this;
    context_->ev.addRead = Hooks::add_read;
    context_->ev.delRead = Hooks::del_read;
    context_->ev.addWrite = Hooks::add_write;
    context_->ev.delWrite = Hooks::del_write;
    context_->ev.cleanup = Hooks::cleanup;
    redisAsyncSetConnectCallback(context_, Hooks::on_connect);  // also asks for the first write event
}

void Connection::close(std::string reason) {
    if (context_ == nullptr) return;
    reason_ = std::move(reason);
    closing_ = true;
    ready_ = false;
    redisAsyncFree(context_);
}

int Connection::fd() const {
    return context_->c.fd;
}

short Connection::events() const {
    return static_cast<short>((want_read_ ? POLLIN : 0) | (want_write_ ? POLLOUT : 0));
}

void Connection::handle(short revents) {
    constexpr short kBroken = POLLERR | POLLHUP;
    if (context_ != nullptr && want_write_ && (revents & (POLLOUT | kBroken)) != 0) redisAsyncHandleWrite(context_);
    if (context_ != nullptr && want_read_ && (revents & (POLLIN | kBroken)) != 0) redisAsyncHandleRead(context_);
    // A failure of the handshake closes here and not in hiredis' callback.
    if (context_ != nullptr && !failure_.empty()) close(failure_);
}

void Connection::send(std::string_view encoded, void* tag) {
    redisAsyncFormattedCommand(context_, Hooks::on_reply, tag, encoded.data(), encoded.size());
}

void Connection::load(std::span<const std::string> scripts) {
    for (const auto& source : scripts) {
        Batch batch;
        batch.add({"SCRIPT", "LOAD", source});
        const auto bytes = batch.encoded(0);
        redisAsyncFormattedCommand(context_, Hooks::on_ignored, nullptr, bytes.data(), bytes.size());
    }
}

void Connection::flush() {
    if (context_ != nullptr && want_write_) redisAsyncHandleWrite(context_);
}

void Connection::connected(bool ok) {
    if (ok) start_handshake();
}

void Connection::start_handshake() {
    handshake_left_ = 0;
    const std::string& password = config_.password.reveal();
    if (!config_.username.empty()) {
        handshake_command({"AUTH", config_.username, password});
    } else if (!password.empty()) {
        handshake_command({"AUTH", password});
    }
    if (config_.database != 0) handshake_command({"SELECT", std::to_string(config_.database)});
    for (const auto& source : scripts_) handshake_command({"SCRIPT", "LOAD", source});
    // Last, and always: a server that is loading its data refuses it, and then is not ready.
    handshake_command({"ECHO", "ready"});
}

void Connection::handshake_command(std::initializer_list<std::string_view> args) {
    Batch batch;
    batch.add(args);
    const auto bytes = batch.encoded(0);
    redisAsyncFormattedCommand(context_, Hooks::on_handshake, nullptr, bytes.data(), bytes.size());
    ++handshake_left_;
}

void Connection::handshake_reply(const redisReply* reply) {
    if (reply == nullptr) return;  // closing
    if (reply->type == REDIS_REPLY_ERROR && failure_.empty()) {
        failure_ = std::string(reply->str, reply->len);
    }
    if (--handshake_left_ == 0 && failure_.empty()) {
        ready_ = true;
        listener_.on_ready();
    }
}

}  // namespace lanyard::redis
