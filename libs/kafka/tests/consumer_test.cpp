#include "kafka/consumer.hpp"

#include <gtest/gtest.h>

#include "collector.hpp"
#include "kafka/mock_cluster.hpp"
#include "kafka/producer.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class KafkaConsumer : public ::testing::Test {
  protected:
    void SetUp() override {
        cluster_ = MockCluster::start().value();
        cluster_->create_topic("t", 2).value();
        ProducerConfig config;
        config.client.bootstrap = cluster_->bootstrap();
        config.linger = milliseconds(0);
        producer_ = Producer::create(config).value();
        topic_ = producer_->topic("t").value();
        config_.client.bootstrap = cluster_->bootstrap();
    }
    void write(int count, std::string_view key = "k") {
        for (int i = 0; i < count; ++i) {
            const std::string value = "v" + std::to_string(written_++);
            producer_->produce({.topic = topic_, .key = key, .value = as_bytes(value)}).value();
        }
        ASSERT_TRUE(producer_->flush(reports_, kPatience));
    }
    std::unique_ptr<Consumer> join(Reader& reader, const std::string& group) {
        config_.group = group;
        auto consumer = Consumer::create(config_, reader).value();
        const std::vector<std::string> topics{"t"};
        consumer->subscribe(topics).value();
        return consumer;
    }
    std::unique_ptr<Consumer> read(Reader& reader, const std::vector<TopicOffset>& from) {
        config_.group = "";
        auto consumer = Consumer::create(config_, reader).value();
        consumer->assign(from).value();
        return consumer;
    }

    std::unique_ptr<MockCluster> cluster_;
    std::unique_ptr<Producer> producer_;
    Topic topic_;
    Reports reports_;
    ConsumerConfig config_;
    int written_ = 0;
};

TEST_F(KafkaConsumer, ReadsWhatWasWritten) {
    const std::array headers{Header{"ce_id", "1"}, Header{"content-type", "application/json"}};
    producer_
        ->produce({.topic = topic_,
                   .key = "default/ep",
                   .value = as_bytes("{}"),
                   .headers = headers,
                   .timestamp_ms = 1764000000123})
        .value();
    producer_->produce({.topic = topic_, .key = "default/ep", .tombstone = true}).value();
    ASSERT_TRUE(producer_->flush(reports_, kPatience));
    Reader reader;
    auto consumer = join(reader, "g");
    ASSERT_TRUE(reader.wait(*consumer, 2));
    const auto& record = reader.records[0];
    EXPECT_EQ(record.topic, "t");
    EXPECT_EQ(record.key, "default/ep");
    EXPECT_EQ(record.value, "{}");
    EXPECT_EQ(record.headers.at("ce_id"), "1");
    EXPECT_EQ(record.headers.at("content-type"), "application/json");
    EXPECT_EQ(record.timestamp_ms, 1764000000123);
    EXPECT_FALSE(record.tombstone);
    EXPECT_TRUE(reader.records[1].tombstone);
    EXPECT_EQ(reader.assigned, 2U);
}

TEST_F(KafkaConsumer, CommitsAndTellsTheOutcome) {
    write(1);
    Reader reader;
    auto consumer = join(reader, "g");
    ASSERT_TRUE(reader.wait(*consumer, 1));
    const std::array next{TopicOffset{"t", reports_.all.front().partition, 1}};
    ASSERT_TRUE(consumer->commit(next));
    const auto committed = consumer->committed(next, seconds(5));
    ASSERT_TRUE(committed);
    EXPECT_EQ(committed->front().offset, 1);
    ASSERT_TRUE(consumer->commit_async(next));
    EXPECT_TRUE(poll_until([&] { reader.poll(*consumer); }, [&] { return reader.commits == 1; }));
}

TEST_F(KafkaConsumer, ReadsAssignedPartitionsFromGivenOffsets) {
    write(10);
    const std::int32_t partition = reports_.all.front().partition;
    Reader reader;
    auto consumer = read(reader, {{"t", partition, 7}});
    ASSERT_TRUE(reader.wait(*consumer, 3));
    EXPECT_EQ(reader.records.front().offset, 7);
    EXPECT_EQ(reader.records.front().value, "v7");
}

TEST_F(KafkaConsumer, ReadsOnlyWhatIsNewFromTheEnd) {
    write(5);
    const std::int32_t partition = reports_.all.front().partition;
    Reader reader;
    auto consumer = read(reader, {});
    const auto ends = consumer->end_offsets("t", seconds(10));
    ASSERT_TRUE(ends) << ends.error().message;
    ASSERT_EQ(ends->size(), 2U);
    EXPECT_EQ((*ends)[static_cast<std::size_t>(partition)].offset, 5);
    EXPECT_EQ((*ends)[static_cast<std::size_t>(1 - partition)].offset, 0);
    ASSERT_TRUE(consumer->assign(*ends));
    write(1);
    ASSERT_TRUE(reader.wait(*consumer, 1));
    EXPECT_EQ(reader.records.front().value, "v5");
}

TEST_F(KafkaConsumer, ReportsAnOffsetThatIsNotThere) {
    write(3);
    const std::int32_t partition = reports_.all.front().partition;
    Reader reader;
    auto consumer = read(reader, {{"t", partition, 1000}});
    ASSERT_TRUE(poll_until([&] { reader.poll(*consumer); }, [&] { return !reader.bad_partitions.empty(); }));
    EXPECT_EQ(reader.errors.front().code, Errc::not_found);
    EXPECT_EQ(reader.bad_partitions.front().topic, "t");
    EXPECT_EQ(reader.bad_partitions.front().partition, partition);
    EXPECT_TRUE(reader.records.empty());
}

TEST_F(KafkaConsumer, KnowsBothEndsOfALog) {
    write(3);
    Reader reader;
    auto consumer = read(reader, {});
    const auto marks = consumer->watermarks("t", reports_.all.front().partition, seconds(10));
    ASSERT_TRUE(marks) << marks.error().message;
    EXPECT_EQ(marks->high, 3);
    EXPECT_EQ(consumer->partition_count("t", seconds(10)).value(), 2);
}

TEST_F(KafkaConsumer, RefusesGroupWorkWithoutAGroup) {
    Reader reader;
    auto consumer = read(reader, {});
    const std::vector<std::string> topics{"t"};
    const auto refused = consumer->subscribe(topics);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::failed_precondition);
    const std::array next{TopicOffset{"t", 0, 1}};
    EXPECT_FALSE(consumer->commit(next));
}

TEST_F(KafkaConsumer, SurvivesAnOutage) {
    Reader reader;
    auto consumer = join(reader, "g");
    write(1);
    ASSERT_TRUE(reader.wait(*consumer, 1));
    cluster_->set_all_up(false);
    ASSERT_TRUE(poll_until([&] { reader.poll(*consumer); }, [&] { return !consumer->available(); }));
    cluster_->set_all_up(true);
    write(1);
    ASSERT_TRUE(reader.wait(*consumer, 2));
    EXPECT_TRUE(poll_until([&] { reader.poll(*consumer); }, [&] { return consumer->available(); }));
}

TEST_F(KafkaConsumer, TakesNoMoreThanAsked) {
    write(10);
    const std::int32_t partition = reports_.all.front().partition;
    Reader reader;
    auto consumer = read(reader, {{"t", partition, 0}});
    MessageBatch batch;
    ASSERT_TRUE(poll_until([&] { consumer->poll(batch, 3, milliseconds(50)); }, [&] { return !batch.empty(); }));
    EXPECT_LE(batch.size(), 3U);
}

}  // namespace
}  // namespace lanyard::kafka
