#include "redis/client.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include <gmock/gmock.h>

#include "telemetry/metrics.hpp"
#include "testing/ports.hpp"
#include "testing/servers.hpp"

namespace lanyard::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Collects the states that a client goes through; wait() blocks until one of them was seen after the last call.
class States {
  public:
    StateCallback callback() {
        return [this](State state, std::string_view reason) {
            const std::lock_guard lock(mutex_);
            seen_.push_back(state);
            reason_ = reason;
            changed_.notify_all();
        };
    }
    bool wait(State wanted) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(20), [&] {
            while (next_ < seen_.size()) {
                if (seen_[next_++] == wanted) return true;
            }
            return false;
        });
    }
    std::string reason() {
        const std::lock_guard lock(mutex_);
        return reason_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<State> seen_;
    std::size_t next_ = 0;
    std::string reason_;
};

class RedisClient : public ::testing::Test {
  protected:
    void SetUp() override {
        server_.start();
        config_.port = server_.port();
        config_.command_timeout = seconds(5);
        config_.backoff_max = milliseconds(200);
    }
    void connect() {
        auto started = Client::start(config_, states_.callback());
        ASSERT_TRUE(started) << started.error().message;
        client_ = std::move(*started);
        ASSERT_TRUE(states_.wait(State::ready));
    }
    Result<Reply> run(ArgList args, std::optional<milliseconds> timeout = {}) { return call(*client_, args, timeout); }
    Result<Reply> eval(const Script& script, ArgList keys, ArgList args) {
        std::promise<Result<Reply>> promise;
        client_->eval(script, keys, args, [&promise](Result<Reply> reply) { promise.set_value(std::move(reply)); });
        return promise.get_future().get();
    }

    ::lanyard::testing::RedisServer server_;
    Config config_;
    States states_;
    std::unique_ptr<Client> client_;
};

TEST_F(RedisClient, AnswersEveryKindOfReply) {
    connect();
    EXPECT_EQ(run({"SET", "k", "v"})->text(), "OK");
    EXPECT_EQ(run({"GET", "k"})->text(), "v");
    EXPECT_TRUE(run({"GET", "none"})->is_nil());
    EXPECT_EQ(run({"INCRBY", "n", "-7"})->integer(), -7);
    run({"RPUSH", "l", "a", "b"}).value();
    const auto list = run({"LRANGE", "l", "0", "-1"});
    ASSERT_TRUE(list && list->is_array());
    ASSERT_EQ(list->items().size(), 2U);
    EXPECT_EQ(list->items()[1].text(), "b");
}

TEST_F(RedisClient, KeepsBytesThatAreNotText) {
    connect();
    const std::string binary("\0\r\n\xff$", 5);
    run({"SET", "b", binary}).value();
    EXPECT_EQ(run({"GET", "b"})->text(), binary);
}

TEST_F(RedisClient, TurnsAnErrorReplyIntoAnError) {
    connect();
    const auto reply = run({"NOSUCHCOMMAND"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::internal);
    EXPECT_TRUE(reply.error().message.starts_with("redis: ERR unknown command"));
}

TEST_F(RedisClient, PipelinesInOrder) {
    connect();
    constexpr int kCount = 20000;
    std::promise<void> all;
    int next = 1;
    bool ordered = true;
    for (int i = 0; i < kCount; ++i) {
        client_->command({"INCR", "n"}, [&](Result<Reply> reply) {
            ordered = ordered && reply && reply->integer() == next++;
            if (next == kCount + 1 || !ordered) {
                if (ordered) all.set_value();
            }
        });
    }
    EXPECT_EQ(all.get_future().wait_for(seconds(20)), std::future_status::ready);
    EXPECT_EQ(client_->stats().replies, static_cast<std::uint64_t>(kCount));
    EXPECT_EQ(client_->stats().pending, 0U);
}

TEST_F(RedisClient, AnswersABatchWithOneCallback) {
    connect();
    Batch batch;
    batch.add({"SET", "a", "1"});
    batch.add({"INCR", "a"});
    batch.add({"LPUSH", "a", "x"});
    std::promise<std::vector<Result<Reply>>> promise;
    client_->submit(std::move(batch),
                    [&](std::vector<Result<Reply>> replies) { promise.set_value(std::move(replies)); });
    const auto replies = promise.get_future().get();
    ASSERT_EQ(replies.size(), 3U);
    EXPECT_EQ(replies[0]->text(), "OK");
    EXPECT_EQ(replies[1]->integer(), 2);
    ASSERT_FALSE(replies[2]);
    EXPECT_TRUE(replies[2].error().message.starts_with("redis: WRONGTYPE"));
}

TEST_F(RedisClient, AnswersAnEmptyBatch) {
    connect();
    bool called = false;
    client_->submit({}, [&](std::vector<Result<Reply>> replies) { called = replies.empty(); });
    EXPECT_TRUE(called);
}

TEST_F(RedisClient, TakesCallsFromManyThreads) {
    connect();
    constexpr int kThreads = 4;
    constexpr int kEach = 1000;
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kEach; ++i) {
                client_->command({"INCR", "n"}, [&good](const Result<Reply>& reply) { good += reply ? 1 : 0; });
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(run({"GET", "n"})->text(), std::to_string(kThreads * kEach));
    EXPECT_EQ(good, kThreads * kEach);
}

TEST_F(RedisClient, RunsAScript) {
    connect();
    const Script script = client_->script("return {KEYS[1], ARGV[1], redis.call('incr', KEYS[1])}");
    const auto reply = eval(script, {"k"}, {"x"});
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->items()[1].text(), "x");
    EXPECT_EQ(reply->items()[2].integer(), 1);
}

TEST_F(RedisClient, LoadsAScriptAgainThatTheServerForgot) {
    connect();
    const Script script = client_->script("return redis.call('incr', KEYS[1])");
    EXPECT_EQ(eval(script, {"k"}, {})->integer(), 1);
    run({"SCRIPT", "FLUSH"}).value();
    EXPECT_EQ(eval(script, {"k"}, {})->integer(), 2);
}

TEST_F(RedisClient, KeepsScriptsOverAReconnect) {
    connect();
    const Script script = client_->script("return redis.call('incr', KEYS[1])");
    EXPECT_EQ(eval(script, {"k"}, {})->integer(), 1);
    server_.kill();
    ASSERT_TRUE(states_.wait(State::down));
    server_.start();
    ASSERT_TRUE(states_.wait(State::ready));
    EXPECT_TRUE(eval(script, {"k"}, {}));
}

TEST_F(RedisClient, FailsFastWhileDownAndRecovers) {
    connect();
    run({"SET", "k", "v"}).value();
    server_.kill();
    ASSERT_TRUE(states_.wait(State::down));
    const auto refused = run({"GET", "k"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    server_.start();
    ASSERT_TRUE(states_.wait(State::ready));
    EXPECT_EQ(run({"GET", "k"})->text(), "v");
    EXPECT_EQ(client_->stats().connects, 2U);
}

TEST_F(RedisClient, WaitsThroughAShortBreak) {
    config_.unavailable_after = seconds(10);
    connect();
    run({"SET", "k", "v"}).value();
    server_.kill();
    ASSERT_TRUE(states_.wait(State::connecting));
    std::promise<Result<Reply>> promise;
    client_->command({"GET", "k"}, [&](Result<Reply> reply) { promise.set_value(std::move(reply)); });
    server_.start();
    EXPECT_EQ(promise.get_future().get()->text(), "v");
}

TEST_F(RedisClient, FailsWhatWasInFlightWhenTheConnectionBreaks) {
    connect();
    std::promise<Result<Reply>> promise;
    client_->command({"BLPOP", "nothing", "0"}, [&](Result<Reply> reply) { promise.set_value(std::move(reply)); });
    run({"ECHO", "x"}, milliseconds(50)).has_value();  // queued behind: the BLPOP is on the wire
    server_.kill();
    const auto reply = promise.get_future().get();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::unavailable);
}

TEST_F(RedisClient, GivesUpAtTheDeadlineAndLeavesAServerThatIsSilent) {
    connect();
    server_.process().freeze();
    const auto reply = run({"GET", "k"}, milliseconds(100));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::deadline_exceeded);
    ASSERT_TRUE(states_.wait(State::connecting));
    server_.process().thaw();
    ASSERT_TRUE(states_.wait(State::ready));
    EXPECT_TRUE(run({"PING"}));
}

TEST_F(RedisClient, RefusesMoreThanTheQueueHolds) {
    config_.queue_max = 10;
    connect();
    server_.process().freeze();
    std::atomic<int> refused{0};
    std::atomic<int> answered{0};
    for (int i = 0; i < 15; ++i) {
        client_->command({"PING"}, [&](const Result<Reply>& reply) {
            if (reply) {
                ++answered;
            } else if (reply.error().code == Errc::resource_exhausted) {
                ++refused;
            }
        });
    }
    EXPECT_EQ(refused, 5);
    EXPECT_EQ(client_->stats().pending, 10U);
    server_.process().thaw();
    client_->stop(seconds(5));
    EXPECT_EQ(answered, 10);
}

TEST_F(RedisClient, FinishesAcceptedCommandsWhenStopped) {
    connect();
    std::atomic<int> good{0};
    for (int i = 0; i < 5000; ++i) {
        client_->command({"INCR", "n"}, [&good](const Result<Reply>& reply) { good += reply ? 1 : 0; });
    }
    client_->stop(seconds(10));
    EXPECT_EQ(good, 5000);
    const auto late = run({"PING"});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::cancelled);
}

TEST_F(RedisClient, CancelsWhatIsLeftAfterTheGrace) {
    connect();
    server_.process().freeze();
    std::optional<Errc> code;
    client_->command({"PING"}, [&](const Result<Reply>& reply) { code = reply ? Errc::internal : reply.error().code; });
    client_->stop(milliseconds(20));
    server_.process().thaw();
    EXPECT_EQ(code, Errc::cancelled);
}

TEST_F(RedisClient, ShowsItsNumbers) {
    telemetry::MetricRegistry metrics;
    config_.metrics = &metrics;
    connect();
    ASSERT_TRUE(run({"SET", "k", "v"}));
    const std::string text = metrics.expose();
    EXPECT_THAT(text, ::testing::HasSubstr("lanyard_redis_commands_total{result=\"answered\"} 1\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("lanyard_redis_commands_total{result=\"lost\"} 0\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("lanyard_redis_command_duration_seconds_count 1\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("lanyard_redis_reconnects_total 0\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("lanyard_redis_commands_pending 0\n"));
    client_.reset();
}

TEST_F(RedisClient, SelectsItsDatabase) {
    connect();
    run({"SET", "k", "zero"}).value();
    config_.database = 3;
    connect();
    EXPECT_TRUE(run({"GET", "k"})->is_nil());
}

TEST(RedisClientAlone, IsDownWithTheReasonWhenNobodyListens) {
    States states;
    const auto client = Client::start({.port = ::lanyard::testing::reserve_port()}, states.callback()).value();
    ASSERT_TRUE(states.wait(State::down));
    EXPECT_EQ(states.reason(), "Connection refused");
}

TEST(RedisClientAlone, Authenticates) {
    ::lanyard::testing::RedisServer server("no", "secret");
    server.start();
    States states;
    const auto client = Client::start({.port = server.port(), .password = Secret("secret")}, states.callback()).value();
    ASSERT_TRUE(states.wait(State::ready));
    EXPECT_TRUE(call(*client, {"PING"}));
}

TEST(RedisClientAlone, IsDownWithTheReasonWhenThePasswordIsWrong) {
    ::lanyard::testing::RedisServer server("no", "secret");
    server.start();
    States states;
    const auto client = Client::start({.port = server.port(), .password = Secret("wrong")}, states.callback()).value();
    ASSERT_TRUE(states.wait(State::down));
    EXPECT_TRUE(states.reason().starts_with("WRONGPASS")) << states.reason();
}

}  // namespace
}  // namespace lanyard::redis
