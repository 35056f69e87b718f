#include <thread>

#include <gtest/gtest.h>
#include <poll.h>

#include "client.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A producer without a broker, whose statistics are the events.
class KafkaQueueSignal : public ::testing::Test {
  protected:
    void SetUp() override {
        Properties properties;
        properties.set("statistics.interval.ms", "20");
        properties.set_client(config_);
        rd_kafka_conf_set_events(properties.handle(), RD_KAFKA_EVENT_STATS);
        client_ = properties.create(RD_KAFKA_PRODUCER, &config_).value();
        queue_.reset(rd_kafka_queue_get_main(client_.get()));
    }
    bool wait_for_event() {
        const auto until = steady_clock::now() + std::chrono::seconds(10);
        while (rd_kafka_queue_length(queue_.get()) == 0 && steady_clock::now() < until) {
            std::this_thread::sleep_for(milliseconds(1));
        }
        return rd_kafka_queue_length(queue_.get()) > 0;
    }
    static bool readable(const QueueSignal& signal) {
        pollfd wanted{signal.fd(), POLLIN, 0};
        return poll(&wanted, 1, 10000) == 1;
    }

    ClientConfig config_{.bootstrap = "127.0.0.1:1"};
    ClientHandle client_;
    QueueHandle queue_;
    QueueSignal signal_;
};

TEST_F(KafkaQueueSignal, TellsOfWhatCameBeforeItWasAttached) {
    ASSERT_TRUE(wait_for_event());
    signal_.attach(queue_.get());
    EXPECT_TRUE(readable(signal_));
}

TEST_F(KafkaQueueSignal, TellsOfEachRowOfEvents) {
    signal_.attach(queue_.get());
    for (int row = 0; row < 3; ++row) {
        ASSERT_TRUE(wait_for_event());
        ASSERT_TRUE(readable(signal_)) << row;
        signal_.clear();
        while (EventHandle(rd_kafka_queue_poll(queue_.get(), 0))) {
        }
    }
}

}  // namespace
}  // namespace lanyard::kafka
