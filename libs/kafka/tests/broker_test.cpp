// What librdkafka's mock cannot show, against a real broker.
#include <gtest/gtest.h>

#include "collector.hpp"
#include "kafka/admin.hpp"
#include "kafka/topic_keeper.hpp"
#include "testing/servers.hpp"

namespace lanyard::kafka {
namespace {

using ::lanyard::testing::KafkaServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

class KafkaBroker : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (!KafkaServer::available()) return;
        server_ = std::make_unique<KafkaServer>();
        server_->start();
    }
    static void TearDownTestSuite() { server_.reset(); }
    void SetUp() override {
        if (!server_) GTEST_SKIP() << "no broker in .tools/kafka (tools/install-deps)";
        client_.bootstrap = server_->bootstrap();
    }
    Result<TopicReport> manage(ManageTopics mode, const TopicSpec& topic) {
        return manage_topics(client_, mode, {&topic, 1}, seconds(30));
    }
    std::unique_ptr<Producer> produce(const std::string& topic, int count) {
        auto producer = Producer::create({.client = client_, .delivery_timeout = seconds(30)}).value();
        const Topic to = producer->topic(topic).value();
        for (int i = 0; i < count; ++i) {
            producer->produce({.topic = to, .key = "k" + std::to_string(i), .value = as_bytes("v")}).value();
        }
        EXPECT_TRUE(producer->flush(reports_, kPatience));
        return producer;
    }
    std::unique_ptr<Consumer> join(Reader& reader, const std::string& topic, bool cooperative) {
        auto consumer =
            Consumer::create({.client = client_, .group = topic + "-group", .cooperative = cooperative}, reader)
                .value();
        consumer->subscribe({&topic, 1}).value();
        return consumer;
    }
    // Two members end with one partition each and read every record between them.
    void share(const std::string& topic, bool cooperative);

    static std::unique_ptr<KafkaServer> server_;
    ClientConfig client_;
    Reports reports_;
};

std::unique_ptr<KafkaServer> KafkaBroker::server_;

TEST_F(KafkaBroker, CreatesMissingTopicsWithTheirConfiguration) {
    const TopicSpec compacted{.name = "state", .partitions = 3, .config = {{"cleanup.policy", "compact"}}};
    const auto missing = manage(ManageTopics::verify, compacted);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "kafka: topic state is missing (3 partitions)");
    const auto created = manage(ManageTopics::create, compacted);
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(created->created, std::vector<std::string>{"state"});
    const auto verified = manage(ManageTopics::verify, compacted);
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_TRUE(verified->warnings.empty());
    EXPECT_FALSE(verified->limited);
}

TEST_F(KafkaBroker, SaysWhichPropertyAndPartitionsDiffer) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "differs", .partitions = 2}));
    const TopicSpec wanted{.name = "differs", .partitions = 1, .config = {{"cleanup.policy", "compact"}}};
    const auto report = manage(ManageTopics::create, wanted);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_EQ(report->warnings.size(), 2U);
    EXPECT_EQ(report->warnings[0], "topic differs has 2 partitions, wanted 1 partitions");
    EXPECT_EQ(report->warnings[1], "topic differs: cleanup.policy is delete, wanted compact");
    const auto few = manage(ManageTopics::verify, {.name = "differs", .partitions = 6});
    ASSERT_FALSE(few);
    EXPECT_EQ(few.error().code, Errc::failed_precondition);
}

TEST_F(KafkaBroker, ASecondAttemptFindsWhatOthersHaveMadeMeanwhile) {
    const telemetry::Logger log("test", {.level = telemetry::Level::off});
    const TopicPlan plan{.client = client_, .own = {{.name = "mine"}}, .of_others = {"theirs"}, .timeout = seconds(30)};
    const auto alone = prepare_topics(plan, log);
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().message, "kafka: topic theirs is missing (1 partitions)");
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "theirs", .partitions = 4}));
    EXPECT_TRUE(prepare_topics(plan, log));
}

TEST_F(KafkaBroker, GoesOnAfterTheCommittedOffset) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "resume"}));
    const auto producer = produce("resume", 10);
    {
        Reader reader;
        auto consumer = join(reader, "resume", true);
        ASSERT_TRUE(reader.wait(*consumer, 10));
        ASSERT_TRUE(consumer->commit(std::array{TopicOffset{"resume", 0, 4}}));
        consumer->close();
        EXPECT_EQ(reader.revoked, 1U);
    }
    Reader reader;
    auto consumer = join(reader, "resume", true);
    ASSERT_TRUE(reader.wait(*consumer, 6));
    EXPECT_EQ(reader.records.front().offset, 4);
}

void KafkaBroker::share(const std::string& topic, bool cooperative) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = topic, .partitions = 2}));
    Reader first;
    Reader second;
    auto one = join(first, topic, cooperative);
    ASSERT_TRUE(poll_until([&] { first.poll(*one); }, [&] { return first.holding() == 2; }));
    auto two = join(second, topic, cooperative);
    const auto both = [&] {
        first.poll(*one);
        second.poll(*two);
    };
    ASSERT_TRUE(poll_until(both, [&] { return first.holding() == 1 && second.holding() == 1; }));
    EXPECT_EQ(first.revoked, cooperative ? 1U : 2U);
    const auto producer = produce(topic, 20);
    ASSERT_TRUE(poll_until(both, [&] { return first.records.size() + second.records.size() == 20; }));
    EXPECT_FALSE(first.records.empty());
    EXPECT_FALSE(second.records.empty());
}

TEST_F(KafkaBroker, SharesPartitionsEagerly) {
    share("eager", false);
}
TEST_F(KafkaBroker, SharesPartitionsCooperatively) {
    share("cooperative", true);
}

TEST_F(KafkaBroker, FindsOffsetsByTime) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "times", .partitions = 1}));
    auto producer = Producer::create({.client = client_}).value();
    const Topic topic = producer->topic("times").value();
    for (const UnixMillis at : {1000, 2000, 3000}) producer->produce({.topic = topic, .timestamp_ms = at}).value();
    ASSERT_TRUE(producer->flush(reports_, kPatience));
    Reader reader;
    const auto consumer = Consumer::create({.client = client_}, reader).value();
    EXPECT_EQ(consumer->offsets_at("times", 1500, seconds(10)).value().front().offset, 1);
    EXPECT_EQ(consumer->offsets_at("times", 9000, seconds(10)).value().front().offset, 3);
    EXPECT_EQ(consumer->end_offsets("times", seconds(10)).value().front().offset, 3);
    const auto none = consumer->end_offsets("no-such-topic", seconds(10));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::not_found);
}

TEST_F(KafkaBroker, AssignsOnlyWhatIsKept) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "kept", .partitions = 1}));
    const auto producer = produce("kept", 3);
    Reader reader;
    const auto consumer = Consumer::create({.client = client_}, reader).value();
    const auto assign_at = [&](std::int64_t offset) {
        return consumer->assign_kept(std::array{TopicOffset{"kept", 0, offset}}, seconds(10));
    };
    const auto beyond = assign_at(4);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, Errc::not_found);
    EXPECT_EQ(beyond.error().message, "kept, partition 0 keeps offsets 0 to 3, not 4");
    EXPECT_TRUE(assign_at(3));
    ASSERT_TRUE(assign_at(1));
    ASSERT_TRUE(reader.wait(*consumer, 2));
    EXPECT_EQ(reader.records.front().offset, 1);
    ASSERT_TRUE(assign_at(kOffsetBeginning));
    ASSERT_TRUE(reader.wait(*consumer, 5));
    EXPECT_TRUE(reader.errors.empty());
}

TEST_F(KafkaBroker, ReportsAnOffsetThatIsNotThere) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "gone"}));
    Reader reader;
    const auto consumer = Consumer::create({.client = client_}, reader).value();
    ASSERT_TRUE(consumer->assign(std::array{TopicOffset{"gone", 0, 77}}));
    ASSERT_TRUE(poll_until([&] { reader.poll(*consumer); }, [&] { return !reader.bad_partitions.empty(); }));
    EXPECT_EQ(reader.bad_partitions.front().partition, 0);
    EXPECT_EQ(reader.errors.front().code, Errc::not_found);
}

TEST_F(KafkaBroker, DeliversAcrossAKillOfTheBroker) {
    ASSERT_TRUE(manage(ManageTopics::create, {.name = "kill"}));
    auto producer = produce("kill", 5);
    server_->kill();
    const auto step = [&] { producer->poll(reports_, 100, milliseconds(50)); };
    ASSERT_TRUE(poll_until(step, [&] { return !producer->available(); }));
    const Topic topic = producer->topic("kill").value();
    ASSERT_TRUE(producer->produce({.topic = topic, .value = as_bytes("late")}));
    server_->start();
    ASSERT_TRUE(poll_until(step, [&] { return reports_.good() == 6 && producer->available(); }));
    Reader reader;
    const auto consumer = Consumer::create({.client = client_}, reader).value();
    EXPECT_EQ(consumer->end_offsets("kill", seconds(10)).value().front().offset, 6);
}

}  // namespace
}  // namespace lanyard::kafka
