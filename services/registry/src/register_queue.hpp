#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "redis/client.hpp"
#include "registry/device_store.hpp"
#include "registry/executor.hpp"

namespace lanyard::registry {

// Registers devices by one script call for many: each partition has at most one call under way, and what comes
// meanwhile goes together into the next one. So a lonely Register leaves at once, and under load the calls grow.
//
// A call that fails as a whole fails everything that waits for its partition, so that nobody waits for longer than one
// command may take. Loop only, but for the client's callback.
class RegisterQueue {
  public:
    // `script`: scripts::register_devices().
    RegisterQueue(redis::Client& client, redis::Script script, Executor executor);
    ~RegisterQueue();
    RegisterQueue(const RegisterQueue&) = delete;
    RegisterQueue& operator=(const RegisterQueue&) = delete;

    void add(RegisterCommand command, Done<Registered> done);

  private:
    using Answers = Result<std::vector<Result<Registered>>>;
    struct Waiting {
        std::string packed;
        Done<Registered> done;
    };
    struct Partition {
        std::deque<Waiting> waiting;
        std::vector<Done<Registered>> called;  // of the call under way
        bool busy = false;
        bool listed = false;  // stands in ready_
    };

    void flush();
    void call(std::uint32_t partition);
    void on_answers(std::uint32_t partition, Answers answers);

    redis::Client& client_;
    const redis::Script script_;
    const Executor executor_;
    std::array<Partition, identity::kPartitions> partitions_;
    std::vector<std::uint32_t> ready_;  // partitions to call at the next flush
    std::shared_ptr<RegisterQueue*> alive_;
};

}  // namespace lanyard::registry
