#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "base/flat_map.hpp"
#include "lanyard/internal/v1/registration.pb.h"
#include "shard_context.hpp"

namespace lanyard::coap_ingress {

// Commands of one shard to the registry that await their result: bounded, each with a deadline.
class RegistryCommands {
  public:
    using Command = internal::v1::RegistrationCommand;
    using Result = internal::v1::RegistrationResult;
    // Called once, with the registry's result or with STATUS_UNAVAILABLE after the deadline.
    using Done = std::function<void(const Result&)>;

    explicit RegistryCommands(ShardContext& context) : context_(context) {}

    // Gives the command its id. False when nothing was sent; `done` is then not called.
    [[nodiscard]] bool send(Command&& command, Done done);
    // Results of commands that are over already are ignored.
    void on_result(const Result& result);
    // Gives up what has waited too long.
    void on_timer();
    [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  private:
    struct Deadline {
        SteadyTime at;
        std::uint64_t id;
    };

    ShardContext& context_;
    std::uint64_t next_id_ = 1;
    struct Pending {
        Done done;
        SteadyTime sent;
        bool registers = false;
    };
    FlatMap<std::uint64_t, Pending> pending_;
    std::deque<Deadline> deadlines_;  // all commands wait equally long, so this is in order
};

}  // namespace lanyard::coap_ingress
