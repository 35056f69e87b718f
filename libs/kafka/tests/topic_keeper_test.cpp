#include "kafka/topic_keeper.hpp"

#include <future>
#include <mutex>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "kafka/mock_cluster.hpp"

namespace lanyard::kafka {
namespace {

using runtime::Deadline;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kPatience = seconds(30);

// Keeps what was logged and tells of the first line that holds `awaited`.
class Lines final : public telemetry::LogSink {
  public:
    explicit Lines(std::string awaited) : awaited_(std::move(awaited)) {}
    void write(std::string_view line) override {
        const std::lock_guard lock(mutex_);
        text_ += line;
        if (line.find(awaited_) == std::string_view::npos || std::exchange(told_, true)) return;
        seen_.set_value();
    }
    bool wait() { return seen_.get_future().wait_for(kPatience) == std::future_status::ready; }
    std::string text() const {
        const std::lock_guard lock(mutex_);
        return text_;
    }

  private:
    const std::string awaited_;
    mutable std::mutex mutex_;
    std::string text_;
    bool told_ = false;
    std::promise<void> seen_;
};

class KafkaTopicKeeper : public ::testing::Test {
  protected:
    TopicKeeper keeper(TopicPlan plan, Duration pause) {
        return {std::move(plan), log_, health_.add({.name = "kafka"}), [this] { ready_.set_value(); }, pause};
    }
    bool ready_within(Duration time) { return told_.wait_for(time) == std::future_status::ready; }

    std::shared_ptr<Lines> lines_ = std::make_shared<Lines>("waiting for Kafka");
    telemetry::Logger log_{"test", {}, lines_};
    runtime::HealthBoard health_;
    std::promise<void> ready_;
    std::future<void> told_ = ready_.get_future();
};

TEST_F(KafkaTopicKeeper, TellsOnceTheClusterAnswers) {
    const auto cluster = MockCluster::start().value();
    cluster->set_all_up(false);
    auto topics = keeper({.client = {.bootstrap = cluster->bootstrap()},
                          .own = {{.name = "own", .partitions = 2}},
                          .of_others = {"theirs"},
                          .timeout = milliseconds(300)},
                         milliseconds(10));
    topics.start();
    ASSERT_TRUE(lines_->wait()) << lines_->text();
    EXPECT_FALSE(ready_within(Duration::zero()));
    const std::string detail = health_.report().lines.front().detail;
    EXPECT_EQ(detail.rfind("kafka: no broker answers", 0), 0U) << detail;
    cluster->set_all_up(true);
    EXPECT_TRUE(ready_within(kPatience)) << lines_->text();
    EXPECT_TRUE(topics.stop(Deadline::in(kPatience)));
    EXPECT_NE(lines_->text().find("topic own is missing (2 partitions)"), std::string::npos) << lines_->text();
}

TEST_F(KafkaTopicKeeper, StopEndsThePause) {
    auto topics = keeper({.client = {.bootstrap = "127.0.0.1:1"}, .timeout = milliseconds(50)}, hours(1));
    topics.start();
    ASSERT_TRUE(lines_->wait());
    EXPECT_TRUE(topics.stop(Deadline::in(kPatience)));
    EXPECT_FALSE(ready_within(Duration::zero()));
}

TEST_F(KafkaTopicKeeper, LooksForNothingWhenOff) {
    auto topics = keeper({.client = {.bootstrap = "127.0.0.1:1"}, .manage = ManageTopics::off, .of_others = {"theirs"}},
                         hours(1));
    topics.start();
    EXPECT_TRUE(ready_within(kPatience));
    EXPECT_TRUE(topics.stop(Deadline::in(kPatience)));
}

}  // namespace
}  // namespace lanyard::kafka
