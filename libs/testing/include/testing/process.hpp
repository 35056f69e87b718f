#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.hpp"

namespace lanyard::testing {

// A child process of a test, killed with it. Not thread-safe.
class Process {
  public:
    // Runs `argv` with output appended to `log`; the child dies with this process.
    [[nodiscard]] static Result<std::unique_ptr<Process>> start(std::vector<std::string> argv,
                                                                const std::filesystem::path& log);
    // kill().
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    // What waitpid(2) said when it had ended; 0 until then.
    [[nodiscard]] int status() const { return status_; }
    // Has not ended yet.
    [[nodiscard]] bool running();
    // SIGTERM, then SIGKILL after `grace`. Returns the wait status.
    int stop(std::chrono::milliseconds grace);
    // SIGKILL, as when the machine dies.
    void kill();
    // SIGSTOP and SIGCONT: a process that hangs.
    void freeze();
    void thaw();

  private:
    explicit Process(pid_t pid) : pid_(pid) {}
    pid_t pid_;
    int status_ = 0;
};

// A directory of a test, removed with it.
class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace lanyard::testing
