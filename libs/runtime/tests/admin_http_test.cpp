#include "runtime/admin_http.hpp"

#include <memory>
#include <vector>

#include <gmock/gmock.h>

#include "http_client.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class MemorySink final : public telemetry::LogSink {
  public:
    void write(std::string_view line) override { text += line; }
    std::string text;
};

struct AdminHttpTest : testing::Test {
    void start(AdminOptions options = {}) {
        server = std::make_unique<AdminServer>(options, log, metrics);
        server->add_health("registry", board);
        server->handle("/debug/echo", [](std::string_view query) {
            return AdminReply{200, "application/json", "\"" + std::string(query) + "\""};
        });
        const auto started = server->start();
        ASSERT_TRUE(started) << started.error().message;
    }
    std::string get(const std::string& target) const { return http_get(server->local(), target); }

    std::shared_ptr<MemorySink> sink = std::make_shared<MemorySink>();
    telemetry::Logger log{"test", {}, sink};
    telemetry::MetricRegistry metrics;
    HealthBoard board;
    HealthBoard::Dependency redis = board.add({.name = "redis"});
    std::unique_ptr<AdminServer> server;
};

TEST_F(AdminHttpTest, ServesMetricsInPrometheusText) {
    metrics.counter("lanyard_a_total", "A.").add(2);
    start();
    const std::string answer = get("/metrics");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
    EXPECT_THAT(answer, EndsWith("lanyard_a_total 2\n"));
}

TEST_F(AdminHttpTest, TellsReadinessByStatusAndDependenciesOnRequest) {
    start();
    redis.down("connection refused, next try in 1 s");
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(get("/readyz"), EndsWith("\r\n\r\nnot ready\n"));
    const std::string verbose = get("/readyz?verbose");
    EXPECT_THAT(verbose, HasSubstr("registry: not ready\n"));
    EXPECT_THAT(verbose, HasSubstr("registry redis: down for 0 s: connection refused, next try in 1 s\n"));
    EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200"));
    redis.ok();
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200"));
    board.set_draining();
    EXPECT_THAT(get("/readyz?verbose"), HasSubstr("registry: draining\n"));
}

TEST_F(AdminHttpTest, ServesHandlersAndListsPathsForUnknownOnes) {
    start();
    EXPECT_THAT(get("/debug/echo?a=1"), EndsWith("\"a=1\""));
    EXPECT_THAT(get("/other"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(get("/other"), HasSubstr("/debug/echo"));
}

TEST_F(AdminHttpTest, TakesOnlyGetAndHead) {
    start();
    EXPECT_THAT(http_get(server->local(), "/livez", "POST"), StartsWith("HTTP/1.1 405"));
    const std::string head = http_get(server->local(), "/livez", "HEAD");
    EXPECT_THAT(head, HasSubstr("Content-Length: 6\r\n"));
    EXPECT_THAT(head, EndsWith("\r\n\r\n"));
}

TEST_F(AdminHttpTest, AnswersSeveralRequestsOnOneConnection) {
    start();
    const TestConnection connection(server->local());
    for (int i = 0; i < 3; ++i) {
        connection.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_THAT(connection.read_until("alive\n"), StartsWith("HTTP/1.1 200"));
    }
}

TEST_F(AdminHttpTest, ClosesOnRubbishBodiesAndEndlessHeaders) {
    start();
    for (const std::string& bytes :
         {std::string("\x16\x03\x01 hello\r\n\r\n"), "GET / HTTP/1.1\r\nX: " + std::string(10'000, 'x'),
          std::string("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")}) {
        const TestConnection connection(server->local());
        connection.send(bytes);
        EXPECT_THAT(connection.read_all(), Not(HasSubstr("200 OK")));
    }
    EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminHttpTest, ClosesConnectionsOverTheBoundAndSlowOnes) {
    start({.max_connections = 1, .request_timeout = 50ms});
    const TestConnection slow(server->local());
    slow.send("GET /li");
    EXPECT_THAT(slow.read_all(), IsEmpty()) << "closed by its timeout";
    const TestConnection first(server->local());
    first.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(first.read_until("alive\n"), HasSubstr("200"));
    const TestConnection second(server->local());
    EXPECT_THAT(second.read_all(), IsEmpty()) << "closed at once, or by its timeout";
}

TEST_F(AdminHttpTest, WarnsWhenItIsNotOnLoopback) {
    start();
    EXPECT_THAT(sink->text, IsEmpty());
    server.reset();
    start({.bind = *parse_address("0.0.0.0:0")});
    EXPECT_THAT(sink->text, HasSubstr("reachable from other hosts"));
}

TEST_F(AdminHttpTest, SaysWhichPortIsTaken) {
    start();
    AdminServer second({.bind = server->local()}, log, metrics);
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::unavailable);
    EXPECT_THAT(started.error().message, HasSubstr(to_string(server->local())));
}

TEST_F(AdminHttpTest, StopsWithOpenConnections) {
    start();
    const TestConnection idle(server->local());
    idle.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(idle.read_until("alive\n"), HasSubstr("200"));
    const Address local = server->local();
    server->stop(Deadline::in(10s));
    EXPECT_FALSE(TestConnection(local).connected());
    server.reset();
    EXPECT_THAT(idle.read_all(), IsEmpty());
}

}  // namespace
}  // namespace lanyard::runtime
