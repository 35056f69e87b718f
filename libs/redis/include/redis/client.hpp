#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "redis/callback.hpp"
#include "redis/command.hpp"
#include "redis/config.hpp"
#include "redis/reply.hpp"

namespace lanyard::redis {

enum class State : std::uint8_t {
    connecting,  // not yet, or no longer for less than Config::unavailable_after: commands wait
    ready,       // authenticated, database selected, scripts loaded
    down,        // no connection for longer: commands fail at once; attempts go on
};
std::string_view to_string(State state);

// Counters since start, for metrics. Readable from any thread.
struct Stats {
    std::uint64_t commands = 0;  // accepted
    std::uint64_t rejected = 0;  // refused: queue full, down or stopping
    std::uint64_t replies = 0;   // answered by the server, error replies included
    std::uint64_t timeouts = 0;  // deadline passed
    std::uint64_t lost = 0;      // written, then the connection broke
    std::uint64_t connects = 0;  // connections that became ready
    std::uint64_t pending = 0;   // waiting or in flight now
};

using ReplyCallback = Callback<Result<Reply>>;
using BatchCallback = Callback<std::vector<Result<Reply>>>;
// Told every change of state with its reason, on the client's thread. Must not block.
using StateCallback = std::function<void(State, std::string_view reason)>;

// One pipelined connection to one Redis server, driven by a thread of its own.
//
// Every command gets its callback exactly once. Callbacks run on the client's thread and must not block; one of
// a command that is refused at once (queue full, down, stopping) runs on the caller's thread before the call
// returns, so do not hold a lock that the callback takes. Commands of one thread reach the server in the order
// of the calls; whatever has queued up while the thread was busy goes out in one write.
//
// Errors: unavailable (no connection, or it broke: then whether the command took effect is unknown),
// deadline_exceeded (same doubt), resource_exhausted (queue_max, or the server is out of memory),
// permission_denied (NOAUTH, NOPERM, WRONGPASS), cancelled (stopped), unavailable also for LOADING, BUSY,
// MASTERDOWN, CLUSTERDOWN, TRYAGAIN and READONLY; any other error reply is `internal`, with the server's text.
//
// All methods are safe from any thread, except that stop() and the destructor must not run in a callback.
class Client {
  public:
    // Starts the thread and the first attempt to connect; does not wait for it.
    // invalid_argument for a bad configuration, unsupported for tls.
    [[nodiscard]] static Result<std::unique_ptr<Client>> start(Config config, StateCallback on_state = {});
    // Stops without a grace.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // One command with its arguments, which are copied. `timeout` replaces Config::command_timeout.
    void command(Args args, ReplyCallback done, std::optional<std::chrono::milliseconds> timeout = {});
    void command(ArgList args, ReplyCallback done, std::optional<std::chrono::milliseconds> timeout = {}) {
        command(Args(args.begin(), args.size()), std::move(done), timeout);
    }

    // Commands in one write with one callback: as many results as commands, in their order. Taken or refused as
    // a whole, but not a transaction: each has its own result. An empty batch calls back with no results.
    void submit(Batch batch, BatchCallback done, std::optional<std::chrono::milliseconds> timeout = {});

    // Makes a script known. It is loaded now and on every new connection; when the server forgot it (SCRIPT
    // FLUSH, NOSCRIPT) it is loaded and the call sent again, once.
    Script script(std::string source);
    void eval(const Script& script, Args keys, Args args, ReplyCallback done,
              std::optional<std::chrono::milliseconds> timeout = {});
    void eval(const Script& script, ArgList keys, ArgList args, ReplyCallback done,
              std::optional<std::chrono::milliseconds> timeout = {}) {
        eval(script, Args(keys.begin(), keys.size()), Args(args.begin(), args.size()), std::move(done), timeout);
    }

    [[nodiscard]] State state() const;
    [[nodiscard]] Stats stats() const;

    // Refuses new commands, gives the accepted ones up to `grace` to be answered, fails the rest with cancelled
    // and joins the thread. Blocks; later calls do nothing.
    void stop(std::chrono::milliseconds grace);

  private:
    class Impl;
    explicit Client(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Sends one command and blocks for its answer. For start-up, tools and tests; never on an I/O thread or in a
// callback of the client.
[[nodiscard]] Result<Reply> call(Client& client, ArgList args, std::optional<std::chrono::milliseconds> timeout = {});

}  // namespace lanyard::redis
