#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "simulator/simulate.hpp"

namespace lanyard::simulator {

// "KIND SECONDS RATE|max WINDOW [TARGET]", for example "updates 2 max 512" or "echo 2 max 512 127.0.0.1:7000".
// invalid_argument with the part that is wrong.
[[nodiscard]] Result<LoadPhase> parse_phase(std::string_view line);

// Load phases from a pipe, one line each, so that a program can measure between them. The end of the input or the
// line "quit" ends the simulation; a line that is no phase ends it too and is told on stderr.
class PhaseScript {
  public:
    explicit PhaseScript(int fd) : fd_(fd) {}

    // What has arrived by now; does not wait.
    [[nodiscard]] SimulateCallbacks::Next next();

  private:
    [[nodiscard]] bool read_more();

    int fd_;
    std::string text_;
};

}  // namespace lanyard::simulator
