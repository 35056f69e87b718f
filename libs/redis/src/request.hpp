#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "redis/client.hpp"

namespace lanyard::redis {

struct Request;

// One command of a request, as hiredis hands it back.
struct Slot {
    Request* request = nullptr;
    std::size_t index = 0;
    bool answered = false;
    bool retried = false;  // after NOSCRIPT
};

// One call of the user: one or several commands with one callback and one deadline.
struct Request {
    Batch batch;
    ReplyCallback one;
    BatchCallback many;
    SteadyTime deadline;
    SteadyTime written;
    std::vector<Result<Reply>> results;
    std::vector<Slot> slots;
    std::size_t unanswered = 0;
    // How many places still point here: the waiting queue and hiredis, one for each command.
    std::size_t holds = 0;
    std::uint64_t id = 0;
    bool is_written = false;
    bool is_internal = false;  // a PING of ours: not counted

    void arm() {
        results.resize(batch.size());
        slots.resize(batch.size());
        for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = Slot{this, i};
        unanswered = slots.size();
    }
    // Calls the user, with `error` for every command that has no answer.
    void complete(const Error& error) {
        for (const Slot& slot : slots) {
            if (!slot.answered) results[slot.index] = error;
        }
        if (one) {
            one(std::move(results.front()));
        } else if (many) {
            many(std::move(results));
        }
    }
};

}  // namespace lanyard::redis
