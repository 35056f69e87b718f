#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include "testing/ports.hpp"
#include "testing/servers.hpp"

namespace lanyard::testing {
namespace {

constexpr std::chrono::seconds kStartMax{60};

// Where tools/install-deps puts the broker's jars: .tools/kafka above the build or the working directory.
std::filesystem::path jar_directory() {
    if (const char* given = std::getenv("LANYARD_KAFKA_JARS")) return given;
    for (auto at = std::filesystem::current_path(); at != at.root_path(); at = at.parent_path()) {
        if (std::filesystem::exists(at / ".tools" / "kafka")) return at / ".tools" / "kafka";
    }
    return {};
}

std::vector<std::string> java(std::vector<std::string> arguments) {
    std::vector<std::string> argv{
        "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", (jar_directory() / "*").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
}

bool answers_metadata(const std::string& bootstrap) {
    char reason[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), reason, sizeof reason);
    rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof reason);
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (client == nullptr) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    const rd_kafka_metadata_t* metadata = nullptr;
    const bool ok = rd_kafka_metadata(client, 1, nullptr, &metadata, 1000) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (ok) rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(client);
    return ok;
}

}  // namespace

KafkaServer::KafkaServer() : port_(reserve_port()), controller_port_(reserve_port()) {}

bool KafkaServer::available() {
    const auto jars = jar_directory();
    return !jars.empty() && std::filesystem::exists(jars) && std::system("command -v java >/dev/null 2>&1") == 0;
}

void KafkaServer::start() {
    if (!formatted_) format();
    auto started =
        Process::start(java({"kafka.Kafka", (dir_.path() / "server.properties").string()}), dir_.path() / "kafka.log");
    if (!started) throw std::runtime_error(started.error().message);
    process_ = std::move(*started);
    wait_ready();
}

void KafkaServer::write_properties() const {
    const std::string port = std::to_string(port_);
    const std::string controller = std::to_string(controller_port_);
    std::ofstream out(dir_.path() / "server.properties");
    out << "process.roles=broker,controller\nnode.id=1\n"
        << "controller.quorum.voters=1@127.0.0.1:" << controller << "\n"
        << "listeners=PLAINTEXT://127.0.0.1:" << port << ",CONTROLLER://127.0.0.1:" << controller << "\n"
        << "controller.listener.names=CONTROLLER\n"
        << "log.dirs=" << (dir_.path() / "data").string() << "\n"
        << "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\n"
        << "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
        << "share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n"
        << "default.replication.factor=1\nmin.insync.replicas=1\n"
        << "group.initial.rebalance.delay.ms=0\nauto.create.topics.enable=false\n"
        // A broker that was killed may come back after the session timeout (9 s by default).
        << "broker.heartbeat.interval.ms=500\nbroker.session.timeout.ms=3000\n";
}

void KafkaServer::format() {
    write_properties();
    auto tool = Process::start(java({"kafka.tools.StorageTool", "format", "-t", "bGFueWFyZC10ZXN0LWtyYQ", "-c",
                                     (dir_.path() / "server.properties").string()}),
                               dir_.path() / "format.log");
    if (!tool) throw std::runtime_error(tool.error().message);
    const auto until = std::chrono::steady_clock::now() + kStartMax;
    while ((*tool)->running()) {
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error("kafka storage format hangs");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if ((*tool)->status() != 0) throw std::runtime_error("kafka storage format failed in " + dir_.path().string());
    formatted_ = true;
}

void KafkaServer::wait_ready() {
    const auto until = std::chrono::steady_clock::now() + kStartMax;
    while (!answers_metadata(bootstrap())) {
        if (!process_->running() || std::chrono::steady_clock::now() > until) {
            throw std::runtime_error("kafka did not start, see " + (dir_.path() / "kafka.log").string());
        }
    }
}

void KafkaServer::stop() {
    if (process_) process_->stop(std::chrono::seconds(30));
}

void KafkaServer::kill() {
    if (process_) process_->kill();
}

}  // namespace lanyard::testing
