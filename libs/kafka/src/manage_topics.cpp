#include <algorithm>
#include <functional>
#include <string>

#include "client.hpp"
#include "errors.hpp"
#include "handles.hpp"
#include "kafka/admin.hpp"

namespace lanyard::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, Deleter<rd_kafka_ConfigResource_destroy>>;

// Between two looks at the metadata after topics were created: they show within milliseconds.
constexpr milliseconds kLookAgain{20};

// One use of the admin API, with one deadline for all its steps.
class Admin {
  public:
    Admin(ClientHandle client, milliseconds timeout)
        : client_(std::move(client)),
          queue_(rd_kafka_queue_new(client_.get())),
          until_(steady_clock::now() + timeout) {}

    // Partitions by topic name, for all topics of the cluster.
    Result<std::map<std::string, std::int32_t>> topics();
    // The error of the first topic that could not be made.
    Result<void> create(std::span<const TopicSpec* const> topics, TopicReport& report);
    // Adds a warning for every property that differs.
    Result<void> compare_config(std::span<const TopicSpec> topics, TopicReport& report);
    // librdkafka's mock has none: it drops the requests, and waiting for an answer would take all the time.
    [[nodiscard]] bool has_admin_api();
    [[nodiscard]] bool out_of_time() const { return left_ms() == 0; }
    // Lets the client work on its events for at most this long.
    void wait(milliseconds time) { rd_kafka_poll(client_.get(), std::min(left_ms(), static_cast<int>(time.count()))); }

  private:
    [[nodiscard]] int left_ms() const {
        const auto left = std::chrono::ceil<milliseconds>(until_ - steady_clock::now()).count();
        return static_cast<int>(std::max<std::int64_t>(left, 0));
    }
    AdminOptions options(rd_kafka_admin_op_t operation) const;
    Result<EventHandle> answer(std::string_view what);

    ClientHandle client_;
    QueueHandle queue_;
    steady_clock::time_point until_;
};

AdminOptions Admin::options(rd_kafka_admin_op_t operation) const {
    AdminOptions made(rd_kafka_AdminOptions_new(client_.get(), operation));
    char reason[256];
    rd_kafka_AdminOptions_set_request_timeout(made.get(), std::max(left_ms(), 1), reason, sizeof reason);
    return made;
}

Result<EventHandle> Admin::answer(std::string_view what) {
    EventHandle event(rd_kafka_queue_poll(queue_.get(), left_ms()));
    if (!event) return make_error(Errc::unavailable, "kafka: " + std::string(what) + ": no answer in time");
    if (auto ok = to_result(rd_kafka_event_error(event.get()), what); !ok) return ok.error();
    return event;
}

Result<std::map<std::string, std::int32_t>> Admin::topics() {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &metadata, left_ms());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return make_error(Errc::unavailable, std::string("kafka: no broker answers: ") + rd_kafka_err2str(code));
    }
    std::map<std::string, std::int32_t> found;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
        const auto& topic = metadata->topics[i];
        if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) found[topic.topic] = topic.partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

bool Admin::has_admin_api() {
    char* id = rd_kafka_clusterid(client_.get(), left_ms());
    const bool mock = id != nullptr && std::string_view(id).starts_with("mockCluster");
    if (id != nullptr) rd_kafka_mem_free(client_.get(), id);
    return !mock;
}

Result<void> Admin::create(std::span<const TopicSpec* const> topics, TopicReport& report) {
    std::vector<NewTopic> owned;
    std::vector<rd_kafka_NewTopic_t*> raw;
    for (const TopicSpec* topic : topics) {
        char reason[256];
        owned.emplace_back(
            rd_kafka_NewTopic_new(topic->name.c_str(), topic->partitions, topic->replication, reason, sizeof reason));
        if (!owned.back()) return make_error(Errc::invalid_argument, "kafka: topic " + topic->name + ": " + reason);
        for (const auto& [name, value] : topic->config) {
            rd_kafka_NewTopic_set_config(owned.back().get(), name.c_str(), value.c_str());
        }
        raw.push_back(owned.back().get());
    }
    const auto how = options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(client_.get(), raw.data(), raw.size(), how.get(), queue_.get());
    const auto event = answer("create topics");
    if (!event) return event.error();
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_topic_result_error(results[i]);
        const std::string name = rd_kafka_topic_result_name(results[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            report.created.push_back(name);
        } else if (code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {  // another instance was quicker
            const char* why = rd_kafka_topic_result_error_string(results[i]);
            return make_error(to_errc(code), "kafka: create topic " + name + ": " + (why != nullptr ? why : ""));
        }
    }
    return {};
}

void compare_entries(const TopicSpec& topic, const rd_kafka_ConfigResource_t* resource, TopicReport& report) {
    std::size_t count = 0;
    const auto* const* entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto wanted = topic.config.find(rd_kafka_ConfigEntry_name(entries[i]));
        if (wanted == topic.config.end()) continue;
        const char* value = rd_kafka_ConfigEntry_value(entries[i]);
        const std::string actual = value != nullptr ? value : "";
        if (actual == wanted->second) continue;
        report.warnings.push_back("topic " + topic.name + ": " + wanted->first + " is " + actual + ", wanted " +
                                  wanted->second);
    }
}

Result<void> Admin::compare_config(std::span<const TopicSpec> topics, TopicReport& report) {
    std::vector<ConfigResource> owned;
    std::vector<rd_kafka_ConfigResource_t*> raw;
    for (const TopicSpec& topic : topics) {
        if (topic.config.empty()) continue;
        owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
        raw.push_back(owned.back().get());
    }
    if (raw.empty()) return {};
    const auto how = options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(client_.get(), raw.data(), raw.size(), how.get(), queue_.get());
    const auto event = answer("describe topics");
    if (!event) return event.error();
    std::size_t count = 0;
    const auto* const* resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view name = rd_kafka_ConfigResource_name(resources[i]);
        const auto topic = std::find_if(topics.begin(), topics.end(), [&](const auto& t) { return t.name == name; });
        if (topic != topics.end()) compare_entries(*topic, resources[i], report);
    }
    return {};
}

std::vector<const TopicSpec*> missing_of(std::span<const TopicSpec> wanted,
                                         const std::map<std::string, std::int32_t>& found) {
    std::vector<const TopicSpec*> missing;
    for (const TopicSpec& topic : wanted) {
        if (!found.contains(topic.name)) missing.push_back(&topic);
    }
    return missing;
}

// Everything that is wrong, in one sentence each; adds what is only odd to the warnings.
std::string problems_of(std::span<const TopicSpec> wanted, const std::map<std::string, std::int32_t>& found,
                        TopicReport& report) {
    std::string problems;
    const auto add = [&problems](const std::string& sentence) {
        problems += (problems.empty() ? "" : "; ") + sentence;
    };
    for (const TopicSpec& topic : wanted) {
        const auto at = found.find(topic.name);
        const std::string partitions = std::to_string(topic.partitions) + " partitions";
        if (at == found.end()) {
            add("topic " + topic.name + " is missing (" + partitions + ")");
        } else if (at->second < topic.partitions) {
            add("topic " + topic.name + " has " + std::to_string(at->second) + " partitions, wanted " + partitions);
        } else if (at->second > topic.partitions) {
            report.warnings.push_back("topic " + topic.name + " has " + std::to_string(at->second) +
                                      " partitions, wanted " + partitions);
        }
    }
    return problems;
}

// Makes what is missing and waits until the cluster shows it.
Result<std::map<std::string, std::int32_t>> create_missing(Admin& admin, std::span<const TopicSpec> wanted,
                                                           std::map<std::string, std::int32_t> found,
                                                           TopicReport& report) {
    const auto missing = missing_of(wanted, found);
    if (missing.empty()) return found;
    if (auto made = admin.create(missing, report); !made) return made.error();
    for (;;) {
        auto now = admin.topics();
        if (!now || missing_of(wanted, *now).empty() || admin.out_of_time()) return now;
        admin.wait(kLookAgain);
    }
}

}  // namespace

Result<TopicReport> manage_topics(const ClientConfig& client, ManageTopics mode, std::span<const TopicSpec> topics,
                                  milliseconds timeout) {
    TopicReport report;
    if (mode == ManageTopics::off) return report;
    Properties properties;
    properties.set_client(client);
    auto handle = properties.create(RD_KAFKA_PRODUCER, &client);
    if (!handle) return handle.error();
    Admin admin(std::move(*handle), timeout);
    auto found = admin.topics();
    report.limited = found && !admin.has_admin_api();
    if (found && mode == ManageTopics::create && !report.limited) {
        found = create_missing(admin, topics, std::move(*found), report);
    }
    if (!found) return found.error();
    auto problems = problems_of(topics, *found, report);
    if (report.limited) {
        if (!problems.empty()) report.warnings.push_back(std::move(problems));
        return report;
    }
    if (!problems.empty()) return make_error(Errc::failed_precondition, "kafka: " + problems);
    if (auto compared = admin.compare_config(topics, report); !compared) return compared.error();
    return report;
}

}  // namespace lanyard::kafka
