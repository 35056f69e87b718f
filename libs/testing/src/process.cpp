#include "testing/process.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lanyard::testing {
namespace {

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void run_child(char* const* argv, int log) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    execvp(argv[0], argv);
    _exit(127);
}

}  // namespace

Result<std::unique_ptr<Process>> Process::start(std::vector<std::string> argv, const std::filesystem::path& log) {
    std::vector<char*> raw;
    for (auto& word : argv) raw.push_back(word.data());
    raw.push_back(nullptr);
    const int fd = open(log.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) return make_error(Errc::internal, "cannot write " + log.string() + ": " + std::strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) run_child(raw.data(), fd);
    close(fd);
    if (pid < 0) return make_error(Errc::internal, std::string("fork: ") + std::strerror(errno));
    return std::unique_ptr<Process>(new Process(pid));
}

Process::~Process() {
    kill();
}

bool Process::running() {
    if (pid_ <= 0) return false;
    if (waitpid(pid_, &status_, WNOHANG) == 0) return true;
    pid_ = 0;
    return false;
}

int Process::stop(std::chrono::milliseconds grace) {
    if (!running()) return status_;
    ::kill(pid_, SIGTERM);
    const auto until = std::chrono::steady_clock::now() + grace;
    while (running() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    kill();
    return status_;
}

void Process::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
    pid_ = 0;
}

void Process::freeze() {
    if (pid_ > 0) ::kill(pid_, SIGSTOP);
}

void Process::thaw() {
    if (pid_ > 0) ::kill(pid_, SIGCONT);
}

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "lanyard-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace lanyard::testing
