#include "watermark.hpp"

#include "base/assert.hpp"

namespace lanyard::observation {

void Watermark::done(Slot slot) {
    LANYARD_ASSERT(slot >= first_ && slot - first_ < slots_.size());
    LANYARD_ASSERT(at(slot).pending > 0);
    --at(slot).pending;
    while (!slots_.empty() && slots_.front().pending == 0) {
        next_offset_ = slots_.front().offset + 1;
        slots_.pop_front();
        ++first_;
    }
}

}  // namespace lanyard::observation
