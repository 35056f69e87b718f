#include "kafka/producer.hpp"

#include <array>

#include <gmock/gmock.h>
#include <poll.h>

#include "base/hash.hpp"
#include "collector.hpp"
#include "kafka/mock_cluster.hpp"
#include "telemetry/metrics.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::int16_t kProduceApi = 0;
constexpr std::int16_t kNotEnoughReplicas = 19;
constexpr std::int16_t kOutOfOrderSequence = 45;

class KafkaProducer : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_ = MockCluster::start().value();
        cluster_->create_topic("t", 4).value();
        config_.client.bootstrap = cluster_->bootstrap();
        config_.linger = milliseconds(1);
    }
    void open() {
        producer_ = Producer::create(config_).value();
        topic_ = producer_->topic("t").value();
    }
    Result<void> produce(std::string_view value, std::uint64_t opaque = 0) {
        return producer_->produce({.topic = topic_, .key = "k", .value = as_bytes(value), .opaque = opaque});
    }

    std::unique_ptr<MockCluster> cluster_;
    ProducerConfig config_;
    std::unique_ptr<Producer> producer_;
    Topic topic_;
    Reports reports_;
};

TEST_F(KafkaProducer, ReportsEachDeliveryWithItsOpaque) {
    open();
    for (std::uint64_t i = 1; i <= 100; ++i) ASSERT_TRUE(produce("v", i));
    ASSERT_TRUE(reports_.wait(*producer_, 100));
    for (std::uint64_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(reports_.all[i].delivered);
        EXPECT_EQ(reports_.all[i].opaque, i + 1);
        EXPECT_EQ(reports_.all[i].offset, static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(producer_->stats().delivered, 100U);
    EXPECT_EQ(producer_->stats().queued, 0U);
}

TEST_F(KafkaProducer, PartitionsAsJavaClientsDo) {
    open();
    const std::array<std::string, 3> keys{"default/urn:imei:1", "default/urn:imei:2", "acme/x"};
    for (std::uint64_t i = 0; i < keys.size(); ++i) {
        ASSERT_TRUE(producer_->produce({.topic = topic_, .key = keys[i], .opaque = i}));
    }
    ASSERT_TRUE(reports_.wait(*producer_, keys.size()));
    for (const auto& delivery : reports_.all) {
        const auto hash = murmur2(as_bytes(keys[delivery.opaque])) & 0x7fffffff;
        EXPECT_EQ(delivery.partition, static_cast<std::int32_t>(hash % 4)) << keys[delivery.opaque];
    }
}

TEST_F(KafkaProducer, RefusesMoreThanTheQueueHoldsAndTakesMoreAfterwards) {
    config_.queue_max_messages = 10;
    cluster_->set_all_up(false);
    open();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(produce("v"));
    const auto refused = produce("v");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::resource_exhausted);
    EXPECT_EQ(producer_->stats().queued, 10U);
    EXPECT_EQ(producer_->stats().rejected, 1U);
    cluster_->set_all_up(true);
    ASSERT_TRUE(reports_.wait(*producer_, 10));
    EXPECT_EQ(reports_.good(), 10U);
    EXPECT_TRUE(produce("v"));
}

TEST_F(KafkaProducer, RefusesARecordThatIsTooLarge) {
    config_.client.properties["message.max.bytes"] = "2000";
    open();
    const auto refused = produce(std::string(3000, 'x'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_large);
}

TEST_F(KafkaProducer, SeesAnOutageAndItsEndWithoutProducing) {
    open();
    ASSERT_TRUE(produce("v"));
    ASSERT_TRUE(reports_.wait(*producer_, 1));
    EXPECT_TRUE(producer_->available());
    const auto step = [&] { producer_->poll(reports_, 100, milliseconds(50)); };
    cluster_->set_all_up(false);
    ASSERT_TRUE(poll_until(step, [&] { return !producer_->available(); }));
    EXPECT_FALSE(producer_->unavailable_reason().empty());
    cluster_->set_all_up(true);
    ASSERT_TRUE(poll_until(step, [&] { return producer_->available(); }));
    EXPECT_EQ(producer_->unavailable_reason(), "");
}

TEST_F(KafkaProducer, FailsWhatIsNotDeliveredInTime) {
    config_.delivery_timeout = seconds(1);
    open();
    ASSERT_TRUE(produce("first"));
    ASSERT_TRUE(reports_.wait(*producer_, 1));
    cluster_->set_all_up(false);
    ASSERT_TRUE(produce("late", 7));
    ASSERT_TRUE(reports_.wait(*producer_, 2));
    EXPECT_FALSE(reports_.all[1].delivered);
    EXPECT_EQ(reports_.all[1].opaque, 7U);
    EXPECT_EQ(reports_.all[1].error, Errc::deadline_exceeded);
    EXPECT_FALSE(reports_.all[1].reason.empty());
}

TEST_F(KafkaProducer, RetriesWhenReplicasAreMissing) {
    open();
    cluster_->fail_requests(kProduceApi, kNotEnoughReplicas, 2);
    ASSERT_TRUE(produce("v"));
    ASSERT_TRUE(reports_.wait(*producer_, 1));
    EXPECT_TRUE(reports_.all[0].delivered);
}

TEST_F(KafkaProducer, KnowsWhenItHasFailedForGood) {
    open();
    ASSERT_TRUE(produce("first"));
    ASSERT_TRUE(reports_.wait(*producer_, 1));
    EXPECT_FALSE(producer_->fatal());
    cluster_->fail_requests(kProduceApi, kOutOfOrderSequence, 1);
    ASSERT_TRUE(produce("second"));
    ASSERT_TRUE(reports_.wait(*producer_, 2));
    EXPECT_FALSE(reports_.all[1].delivered);
    EXPECT_TRUE(producer_->fatal());
    EXPECT_FALSE(producer_->available());
    EXPECT_THAT(producer_->unavailable_reason(), HasSubstr("sequence"));
    EXPECT_FALSE(produce("third"));
}

TEST_F(KafkaProducer, SignalsItsEventFdWhenReportsWait) {
    open();
    ASSERT_TRUE(produce("v"));
    // Metadata errors and statistics wake it too: poll until the report is there, never without a wake-up.
    while (reports_.all.empty()) {
        pollfd waiting{producer_->event_fd(), POLLIN, 0};
        ASSERT_EQ(::poll(&waiting, 1, 20000), 1);
        producer_->poll(reports_);
    }
    EXPECT_EQ(reports_.good(), 1U);
}

TEST_F(KafkaProducer, KeepsSignallingWhenAPollLeavesReports) {
    open();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(produce("v"));
        ASSERT_TRUE(poll_until([] {}, [&] { return producer_->stats().queued > 0; }));
    }
    while (reports_.all.size() < 3) {
        pollfd waiting{producer_->event_fd(), POLLIN, 0};
        ASSERT_EQ(::poll(&waiting, 1, 20000), 1);
        producer_->poll(reports_, 1);
    }
}

TEST_F(KafkaProducer, FlushesWhatLingers) {
    config_.linger = milliseconds(60000);
    config_.delivery_timeout = milliseconds(120000);
    open();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(produce("v"));
    EXPECT_TRUE(producer_->flush(reports_, kPatience));
    EXPECT_EQ(reports_.good(), 10U);
}

TEST_F(KafkaProducer, GivesUpFlushingAtItsTimeout) {
    cluster_->set_all_up(false);
    open();
    ASSERT_TRUE(produce("v"));
    EXPECT_FALSE(producer_->flush(reports_, milliseconds(50)));
}

TEST_F(KafkaProducer, ReportsPurgedRecordsAsCancelled) {
    cluster_->set_all_up(false);
    open();
    ASSERT_TRUE(produce("v"));
    producer_->purge();
    ASSERT_TRUE(reports_.wait(*producer_, 1));
    EXPECT_EQ(reports_.all[0].error, Errc::cancelled);
}

TEST_F(KafkaProducer, ShowsWhatBecameOfTheRecordsOfATopic) {
    telemetry::MetricRegistry metrics;
    config_.metrics = &metrics;
    open();
    ASSERT_TRUE(produce("v"));
    ASSERT_TRUE(produce("w"));
    ASSERT_TRUE(reports_.wait(*producer_, 2));
    EXPECT_THAT(metrics.expose(), HasSubstr("lanyard_kafka_produced_total{result=\"delivered\",topic=\"t\"} 2\n"));
    EXPECT_THAT(metrics.expose(), HasSubstr("lanyard_kafka_produced_total{result=\"failed\",topic=\"t\"} 0\n"));
    EXPECT_THAT(metrics.expose(), HasSubstr("lanyard_kafka_produce_duration_seconds_count{topic=\"t\"}"));
    EXPECT_THAT(metrics.expose(), HasSubstr("lanyard_kafka_queue_bytes 0\n"));
    cluster_->set_all_up(false);
    ASSERT_TRUE(produce("x"));
    producer_->purge();
    ASSERT_TRUE(reports_.wait(*producer_, 3));
    EXPECT_THAT(metrics.expose(), HasSubstr("lanyard_kafka_produced_total{result=\"failed\",topic=\"t\"} 1\n"));
    producer_.reset();
}

TEST(KafkaProducerConfig, NamesTheBadProperty) {
    ProducerConfig config;
    config.client.properties["no.such.property"] = "1";
    const auto producer = Producer::create(config);
    ASSERT_FALSE(producer);
    EXPECT_EQ(producer.error().code, Errc::invalid_argument);
    EXPECT_NE(producer.error().message.find("no.such.property"), std::string::npos);
}

TEST(KafkaProducerConfig, RefusesAnEmptyBootstrap) {
    ProducerConfig config;
    config.client.bootstrap = "";
    EXPECT_FALSE(Producer::create(config));
}

}  // namespace
}  // namespace lanyard::kafka
