#include "plan.hpp"

#include <algorithm>

namespace lanyard::observation {

Plan make_plan(std::span<const Wanted> wanted, std::span<const ObservationState> states, std::uint32_t generation,
               std::span<const SpecId> retry) {
    Plan plan;
    for (const Wanted& w : wanted) {
        const auto state = std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.spec == w.spec; });
        const bool current = state != states.end() && state->generation == generation;
        const bool again = std::find(retry.begin(), retry.end(), w.spec) != retry.end();
        const bool done = current && !again && state->state != State::pending;
        if (!done) plan.establish.push_back(w);
    }
    for (const ObservationState& state : states) {
        const bool kept =
            std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w.spec == state.spec; });
        if (kept) continue;
        if (state.generation == generation && state.state == State::active) plan.cancel.push_back(state.spec);
        plan.erase.push_back(state.spec);
    }
    return plan;
}

}  // namespace lanyard::observation
