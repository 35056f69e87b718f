#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "kafka/admin.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "runtime/thread.hpp"
#include "telemetry/log.hpp"

namespace lanyard::kafka {

// The topics that a service needs before it can work.
struct TopicPlan {
    ClientConfig client{};
    ManageTopics manage = ManageTopics::create;
    std::vector<TopicSpec> own{};             // made or checked, as `manage` says
    std::vector<std::string> of_others{};     // must be there, whoever makes them; not looked for when `manage` is off
    std::chrono::milliseconds timeout{5000};  // of each of the two steps
};

// One attempt at a plan; logs what was made and what differs. Errors and blocking: as manage_topics().
[[nodiscard]] Result<void> prepare_topics(const TopicPlan& plan, const telemetry::Logger& log);

// Carries a plan out in a thread of its own, as often as it takes: until then `health` is down with the reason.
class TopicKeeper {
  public:
    // `ready` is called once, in that thread, when the plan is carried out. `pause` lies between two attempts. The
    // logger must outlive the keeper.
    TopicKeeper(TopicPlan plan, const telemetry::Logger& log, runtime::HealthBoard::Dependency health,
                std::function<void()> ready, Duration pause = std::chrono::seconds(1));
    ~TopicKeeper();
    TopicKeeper(const TopicKeeper&) = delete;
    TopicKeeper& operator=(const TopicKeeper&) = delete;
    void start();
    // False if an attempt was still under way at the deadline; the destructor then waits for it.
    [[nodiscard]] bool stop(runtime::Deadline deadline);

  private:
    void run();
    // Sleeps until the next attempt is due; false when it shall not be made.
    [[nodiscard]] bool pause();

    const TopicPlan plan_;
    const telemetry::Logger& log_;
    const runtime::HealthBoard::Dependency health_;
    const std::function<void()> ready_;
    const Duration pause_;
    std::mutex mutex_;  // stopping_
    std::condition_variable wake_;
    bool stopping_ = false;
    runtime::Thread thread_;
};

}  // namespace lanyard::kafka
