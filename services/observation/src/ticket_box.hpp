#pragma once

#include <cstddef>

#include "partitions.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/poller.hpp"

namespace lanyard::observation {

// Tickets whose work was finished by others, on their way back to the thread that owns the Partitions.
struct TicketBox {
    runtime::Wakeup wakeup;
    runtime::Mailbox<Partitions::Ticket> tickets;
    // `capacity`: as many as can be out at once, so that push() never fails.
    explicit TicketBox(std::size_t capacity) : tickets(capacity, wakeup) {}
};

}  // namespace lanyard::observation
