#include "redis/client.hpp"

#include <future>

#include "client_impl.hpp"

namespace lanyard::redis {

std::string_view to_string(State state) {
    switch (state) {
        case State::connecting:
            return "connecting";
        case State::ready:
            return "ready";
        case State::down:
            return "down";
    }
    return "unknown";
}

Result<std::unique_ptr<Client>> Client::start(Config config, StateCallback on_state) {
    if (auto valid = validate(config); !valid) return valid.error();
    return std::unique_ptr<Client>(new Client(std::make_unique<Impl>(std::move(config), std::move(on_state))));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

void Client::command(Args args, ReplyCallback done, std::optional<std::chrono::milliseconds> timeout) {
    auto request = std::make_unique<Request>();
    request->batch.add(args);
    request->one = std::move(done);
    impl_->submit(std::move(request), timeout);
}

void Client::submit(Batch batch, BatchCallback done, std::optional<std::chrono::milliseconds> timeout) {
    auto request = std::make_unique<Request>();
    request->batch = std::move(batch);
    request->many = std::move(done);
    impl_->submit(std::move(request), timeout);
}

Script Client::script(std::string source) {
    return impl_->add_script(std::move(source));
}

void Client::eval(const Script& script, Args keys, Args args, ReplyCallback done,
                  std::optional<std::chrono::milliseconds> timeout) {
    auto request = std::make_unique<Request>();
    request->batch.eval(script, keys, args);
    request->one = std::move(done);
    impl_->submit(std::move(request), timeout);
}

State Client::state() const {
    return impl_->state();
}
Stats Client::stats() const {
    return impl_->stats();
}
void Client::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}

Result<Reply> call(Client& client, ArgList args, std::optional<std::chrono::milliseconds> timeout) {
    std::promise<Result<Reply>> promise;
    auto answer = promise.get_future();
    client.command(
        args, [&promise](Result<Reply> reply) { promise.set_value(std::move(reply)); }, timeout);
    return answer.get();
}

}  // namespace lanyard::redis
