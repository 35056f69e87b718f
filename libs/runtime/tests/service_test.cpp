#include "runtime/service.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "http_client.hpp"
#include "runtime/lifecycle.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What the fake services of one test did, in order.
using Journal = std::vector<std::string>;

class FakeService final : public Service {
  public:
    FakeService(std::string name, Journal& journal) : name_(std::move(name)), journal_(journal) {}

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] Result<void> start() override {
        journal_.push_back("start " + name_);
        if (on_start) return on_start();
        return {};
    }
    void drain(Deadline deadline) override {
        journal_.push_back("drain " + name_);
        if (on_drain) on_drain(deadline);
    }
    [[nodiscard]] std::vector<Port> ports() const override { return {{"coap", Address::v4(0x7f000001, 5683)}}; }

    std::function<Result<void>()> on_start;
    std::function<void(Deadline)> on_drain;

  private:
    std::string name_;
    Journal& journal_;
};

telemetry::Logger quiet() {
    return telemetry::Logger("test", {telemetry::Level::off, telemetry::LogFormat::json});
}

TEST(Lifecycle, StartsInOrderAndDrainsInReverse) {
    Journal journal;
    FakeService a("a", journal);
    FakeService b("b", journal);
    Service* const services[] = {&a, &b};
    EXPECT_TRUE(start_all(services, 1s, quiet()));
    drain_all(services, Deadline::in(1s), quiet());
    EXPECT_THAT(journal, ElementsAre("start a", "start b", "drain b", "drain a"));
}

TEST(Lifecycle, DrainsWhatWasStartedWhenOneFails) {
    Journal journal;
    FakeService a("a", journal);
    FakeService b("b", journal);
    FakeService c("c", journal);
    b.on_start = [] { return make_error(Errc::unavailable, "port taken"); };
    Service* const services[] = {&a, &b, &c};
    const auto started = start_all(services, 1s, quiet());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().message, "b: port taken");
    EXPECT_THAT(journal, ElementsAre("start a", "start b", "drain b", "drain a"));
}

TEST(StopSignals, GivesSignalsAndRequestsAsReasons) {
    StopSignals signals;
    EXPECT_EQ(signals.wait(Duration::zero()), std::nullopt);
    EXPECT_EQ(signals.wait(1ms), std::nullopt);
    kill(getpid(), SIGTERM);
    EXPECT_EQ(signals.wait(), "SIGTERM");
    kill(getpid(), SIGINT);
    EXPECT_EQ(signals.wait(10s), "SIGINT");
    const std::jthread other([&] { signals.request_stop("the time is over"); });
    EXPECT_EQ(signals.wait(10s), "the time is over");
}

TEST(ExitGuard, DoesNothingWhenTheDrainEndsInTime) {
    StopSignals signals;
    const auto log = quiet();
    const ExitGuard guard(Deadline::in(1h), signals, log);
}

// Runs run_service_main in this process with a fake service and captures what it prints.
class ServiceMainTest : public testing::Test {
  protected:
    int run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "lanyard-fake");
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int code = run_service_main(static_cast<int>(argv.size()), argv.data(), descriptor());
        out = testing::internal::GetCapturedStdout();
        err = testing::internal::GetCapturedStderr();
        return code;
    }

    ServiceDescriptor descriptor() {
        return {.name = "fake",
                .summary = "Stands in for a service.",
                .admin_port = 0,
                .bind =
                    [this](Binder& binder) {
                        binder.integer("fake.size", &size, {1, 10}, "A size.");
                    },
                .validate = [this]() -> Result<void> {
                    if (size == 7) return make_error(Errc::invalid_argument, "fake.size: 7 is not for you");
                    return {};
                },
                .make = [this](const ServiceContext& given) -> Result<std::unique_ptr<Service>> {
                    auto service = std::make_unique<FakeService>("fake", journal);
                    given.health.add({.name = "redis"}).ok();
                    service->on_start = on_start;
                    service->on_drain = on_drain;
                    return Result<std::unique_ptr<Service>>(std::move(service));
                }};
    }

    int size = 3;
    Journal journal;
    std::function<Result<void>()> on_start = []() -> Result<void> {
        kill(getpid(), SIGTERM);
        return {};
    };
    std::function<void(Deadline)> on_drain;
    std::string out;
    std::string err;
};

TEST_F(ServiceMainTest, RunsUntilSigtermAndDrains) {
    EXPECT_EQ(run({"--set", "fake.size=5", "--set", "shutdown.grace=5s"}), 0);
    EXPECT_EQ(size, 5);
    EXPECT_THAT(journal, ElementsAre("start fake", "drain fake"));
    EXPECT_THAT(err, HasSubstr("\"msg\":\"listening\""));
    EXPECT_THAT(err, HasSubstr("\"msg\":\"stopping\",\"reason\":\"SIGTERM\""));
    EXPECT_THAT(err, HasSubstr("\"msg\":\"stopped\""));
}

TEST_F(ServiceMainTest, WritesItsEndpointsAndServesReadinessWhileItRuns) {
    const std::string file = testing::TempDir() + "lanyard_endpoints_" + std::to_string(getpid()) + ".json";
    std::string endpoints;
    std::string ready;
    on_start = []() -> Result<void> { return {}; };
    // The client must not take the signal.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::jthread client([&] {
        // The file appears once the service is started, whole or not at all.
        const Deadline limit = Deadline::in(10s);
        while (endpoints.empty() && !limit.expired()) {
            std::ifstream in(file);
            endpoints.assign(std::istreambuf_iterator<char>(in), {});
            std::this_thread::yield();
        }
        const std::string start = "{\"admin\": \"";
        const std::string rest = endpoints.substr(std::min(start.size(), endpoints.size()));
        const auto address = rest.substr(0, rest.find('"'));
        if (const auto parsed = parse_address(address)) ready = http_get(*parsed, "/readyz?verbose");
        kill(getpid(), SIGINT);
    });
    EXPECT_EQ(run({"--endpoints-file", file}), 0);
    client.join();
    std::filesystem::remove(file);
    EXPECT_THAT(endpoints, HasSubstr(", \"coap\": \"127.0.0.1:5683\"}"));
    EXPECT_THAT(ready, HasSubstr("fake redis: ok"));
}

TEST_F(ServiceMainTest, ExitsWithOneWhenTheServiceCannotStart) {
    on_start = []() -> Result<void> { return make_error(Errc::unavailable, "port taken"); };
    EXPECT_EQ(run({}), kExitStartFailed);
    EXPECT_THAT(err, HasSubstr("\"reason\":\"fake: port taken\""));
    EXPECT_THAT(journal, ElementsAre("start fake", "drain fake"));
}

TEST_F(ServiceMainTest, RefusesBadConfigurationBeforeAnythingStarts) {
    EXPECT_EQ(run({"--set", "fake.size=11"}), kExitBadUsage);
    EXPECT_EQ(err,
              "lanyard-fake: configuration refused: --set: fake.size: \"11\" is not allowed, expected an integer "
              "from 1 to 10\n");
    EXPECT_EQ(run({"--set", "fake.size=7", "--check-config"}), kExitBadUsage);
    EXPECT_THAT(err, HasSubstr("7 is not for you"));
    EXPECT_EQ(run({"--nonsense"}), kExitBadUsage);
    EXPECT_THAT(journal, testing::IsEmpty());
}

TEST_F(ServiceMainTest, ChecksAndPrintsTheConfiguration) {
    EXPECT_EQ(run({"--check-config"}), 0);
    EXPECT_EQ(out, "configuration ok\n");
    EXPECT_EQ(run({"--print-config"}), 0);
    EXPECT_THAT(out, HasSubstr("shutdown:\n"));
    EXPECT_THAT(out, HasSubstr("fake:\n  # A size.\n"));
    EXPECT_EQ(run({"--set", "fake.size=4", "--print-effective-config"}), 0);
    EXPECT_THAT(out, HasSubstr("fake:\n  size: 4\n"));
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_THAT(out, HasSubstr("lanyard-fake 0."));
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_THAT(out, HasSubstr("Stands in for a service."));
    EXPECT_THAT(journal, testing::IsEmpty());
}

using ServiceMainDeathTest = ServiceMainTest;

TEST_F(ServiceMainDeathTest, ForcesTheExitWhenADrainHangs) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    on_drain = [](Deadline) {
        for (;;) pause();
    };
    const auto hang = [this] {
        std::vector<std::string> arguments{"lanyard-fake", "--set", "shutdown.grace=0s"};
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        run_service_main(static_cast<int>(argv.size()), argv.data(), descriptor());
    };
    EXPECT_EXIT(hang(), testing::ExitedWithCode(kExitDrainTimedOut), "forced exit.*shutdown.grace is over");
    on_drain = [](Deadline) {
        kill(getpid(), SIGTERM);
        for (;;) pause();
    };
    EXPECT_EXIT(hang(), testing::ExitedWithCode(kExitDrainTimedOut), "forced exit.*SIGTERM");
}

}  // namespace
}  // namespace lanyard::runtime
