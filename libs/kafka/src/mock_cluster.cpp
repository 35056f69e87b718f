#include "kafka/mock_cluster.hpp"

#include <vector>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "client.hpp"
#include "errors.hpp"
#include "handles.hpp"

namespace lanyard::kafka {
namespace {

using MockHandle = std::unique_ptr<rd_kafka_mock_cluster_t, Deleter<rd_kafka_mock_cluster_destroy>>;

}  // namespace

class MockCluster::Impl {
  public:
    ClientHandle client;
    MockHandle cluster;  // destroyed before the client it belongs to
    std::string bootstrap;
    int brokers = 0;
};

MockCluster::MockCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MockCluster::~MockCluster() = default;

Result<std::unique_ptr<MockCluster>> MockCluster::start(int brokers) {
    if (brokers < 1 || brokers > 9) return make_error(Errc::invalid_argument, "kafka: brokers must be 1..9");
    auto impl = std::make_unique<Impl>();
    auto client = Properties().create(RD_KAFKA_PRODUCER, nullptr);
    if (!client) return client.error();
    impl->client = std::move(*client);
    impl->cluster.reset(rd_kafka_mock_cluster_new(impl->client.get(), brokers));
    if (!impl->cluster) return make_error(Errc::unavailable, "kafka: the embedded cluster cannot listen on loopback");
    impl->bootstrap = rd_kafka_mock_cluster_bootstraps(impl->cluster.get());
    impl->brokers = brokers;
    return std::unique_ptr<MockCluster>(new MockCluster(std::move(impl)));
}

const std::string& MockCluster::bootstrap() const {
    return impl_->bootstrap;
}

Result<void> MockCluster::create_topic(const std::string& name, int partitions) {
    const auto code = rd_kafka_mock_topic_create(impl_->cluster.get(), name.c_str(), partitions, impl_->brokers);
    return to_result(code, "create topic " + name);
}

Result<void> MockCluster::create_topics(std::span<const TopicSpec> topics) {
    for (const TopicSpec& topic : topics) {
        if (auto created = create_topic(topic.name, topic.partitions); !created) return created;
    }
    return {};
}

void MockCluster::set_broker_up(int broker, bool up) {
    if (up) {
        rd_kafka_mock_broker_set_up(impl_->cluster.get(), broker);
    } else {
        rd_kafka_mock_broker_set_down(impl_->cluster.get(), broker);
    }
}

void MockCluster::set_all_up(bool up) {
    for (int broker = 1; broker <= impl_->brokers; ++broker) set_broker_up(broker, up);
}

void MockCluster::set_round_trip(int broker, std::chrono::milliseconds rtt) {
    rd_kafka_mock_broker_set_rtt(impl_->cluster.get(), broker, static_cast<int>(rtt.count()));
}

void MockCluster::fail_requests(std::int16_t api_key, std::int16_t error_code, std::size_t count) {
    const std::vector<rd_kafka_resp_err_t> errors(count, static_cast<rd_kafka_resp_err_t>(error_code));
    rd_kafka_mock_push_request_errors_array(impl_->cluster.get(), api_key, count, errors.data());
}

void MockCluster::clear_failures(std::int16_t api_key) {
    rd_kafka_mock_clear_request_errors(impl_->cluster.get(), api_key);
}

}  // namespace lanyard::kafka
