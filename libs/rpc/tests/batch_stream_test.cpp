#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <lanyard/internal/v1/registration.grpc.pb.h>

#include "rpc/batch_stream_client.hpp"
#include "rpc/batch_stream_server.hpp"
#include "rpc/channel_pool.hpp"
#include "rpc/server.hpp"

namespace lanyard::rpc {
namespace {

using internal::v1::RegistrationBatch;
using internal::v1::RegistrationCommand;
using internal::v1::RegistrationResult;
using internal::v1::RegistrationResultBatch;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Client = BatchStreamClient<RegistrationBatch, RegistrationResultBatch>;
using ServerStream = BatchStreamServer<RegistrationBatch, RegistrationResultBatch>;

constexpr seconds kPatience{20};

// A mutex with a condition that is told every change; wait() is the only way to wait.
class Monitor {
  public:
    template <class F>
    void change(F function) {
        const std::lock_guard lock(mutex_);
        function();
        changed_.notify_all();
    }
    template <class F>
    bool wait(F condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, condition);
    }
    template <class F>
    auto look(F function) {
        const std::lock_guard lock(mutex_);
        return function();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

// Answers every command with its id; can hold its answers back.
class Echo final : public internal::v1::RegistrationService::CallbackService {
  public:
    grpc::ServerBidiReactor<RegistrationBatch, RegistrationResultBatch>* Exchange(
        grpc::CallbackServerContext* context) override {
        return ServerStream::create(context, config, std::make_shared<Handler>(*this))->reactor();
    }

    class Handler final : public ServerStream::Handler {
      public:
        explicit Handler(Echo& echo) : echo_(echo) {}
        void on_open(const std::shared_ptr<ServerStream>& stream) override {
            stream_ = stream;
            echo_.monitor.change([&] { echo_.streams.push_back(stream); });
        }
        bool on_batch(RegistrationBatch& batch) override {
            if (batch.has_hello()) {
                RegistrationResultBatch welcome;
                welcome.mutable_welcome()->set_node(batch.hello().node());
                stream_.lock()->send_message(std::move(welcome)).value();
            }
            for (const auto& command : batch.commands()) answer(command.id());
            return echo_.monitor.look([&] {
                echo_.batches.push_back(batch.commands_size());
                return !echo_.paused;
            });
        }
        void on_client_done() override { stream_.lock()->finish(); }
        void on_closed() override {
            echo_.monitor.change([&] { ++echo_.closed; });
        }

      private:
        void answer(std::uint64_t id) {
            RegistrationResult result;
            result.set_id(id);
            for (int i = 0; i < echo_.answers_each; ++i) {
                auto copy = result;
                const auto sent = stream_.lock()->send(std::move(copy));
                if (!sent) echo_.monitor.change([&] { echo_.refused = sent.error().code; });
            }
        }
        Echo& echo_;
        std::weak_ptr<ServerStream> stream_;
    };

    BatchStreamConfig config;
    int answers_each = 1;
    Monitor monitor;
    std::vector<std::weak_ptr<ServerStream>> streams;
    std::vector<int> batches;
    std::optional<Errc> refused;
    bool paused = false;
    int closed = 0;
};

// Keeps what the client end is told; can block in a batch, as a peer that does not read.
class Answers final : public Client::Handler {
  public:
    void on_ready(RegistrationBatch& first) override {
        if (hello) first.mutable_hello()->set_node(7);
        monitor.change([&] { ++ready; });
    }
    void on_batch(RegistrationResultBatch& batch) override {
        monitor.wait([&] { return !blocked; });
        monitor.change([&] {
            if (batch.has_welcome()) welcome = batch.welcome().node();
            for (const auto& result : batch.results()) ids.push_back(result.id());
        });
    }
    void on_down(const Error& error, std::vector<RegistrationCommand> unsent) override {
        monitor.change([&] {
            ++down;
            last_error = error;
            for (const auto& item : unsent) lost.push_back(item.id());
        });
    }

    Monitor monitor;
    bool hello = false;
    bool blocked = false;
    bool released = false;
    int ready = 0;
    int down = 0;
    std::uint32_t welcome = 0;
    std::vector<std::uint64_t> ids;
    std::vector<std::uint64_t> lost;
    Error last_error;
};

class RpcBatchStream : public ::testing::Test {
  protected:
    void SetUp() override { serve("127.0.0.1:0"); }
    void TearDown() override {
        if (client_) client_->stop(milliseconds(0));
    }
    void serve(const std::string& listen) {
        grpc::Service* const services[] = {&echo_};
        server_ = Server::start({.listen = listen}, services).value();
        address_ = server_->address();
    }
    void open() {
        channel_ = make_channel(address_);
        stub_ = internal::v1::RegistrationService::NewStub(channel_);
        client_ = std::make_unique<Client>(
            [this](auto* context, auto* reactor) { stub_->async()->Exchange(context, reactor); }, config_, answers_);
    }
    bool wait_ready(int times = 1) {
        return answers_.monitor.wait([&] { return answers_.ready >= times; });
    }
    Result<void> send(std::uint64_t id) {
        RegistrationCommand command;
        command.set_id(id);
        return client_->send(std::move(command));
    }

    Echo echo_;
    std::unique_ptr<Server> server_;
    std::string address_;
    std::shared_ptr<grpc::Channel> channel_;
    std::unique_ptr<internal::v1::RegistrationService::Stub> stub_;
    BatchStreamConfig config_;
    Answers answers_;
    std::unique_ptr<Client> client_;
};

TEST_F(RpcBatchStream, AnswersInOrderAndBatches) {
    open();
    ASSERT_TRUE(wait_ready());
    constexpr std::size_t kCount = 10000;
    for (std::size_t i = 0; i < kCount; ++i) ASSERT_TRUE(send(i));
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == kCount; }));
    for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(answers_.ids[i], i);
    EXPECT_LT(echo_.monitor.look([&] { return echo_.batches.size(); }), kCount / 2);
    EXPECT_LE(*std::max_element(echo_.batches.begin(), echo_.batches.end()), 256);
}

TEST_F(RpcBatchStream, WhatIsSentAtOnceTravelsTogether) {
    open();
    ASSERT_TRUE(wait_ready());
    std::vector<RegistrationCommand> commands(100);
    for (std::size_t i = 0; i < commands.size(); ++i) commands[i].set_id(i);
    ASSERT_TRUE(client_->send_all(commands));
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == commands.size(); }));
    EXPECT_TRUE(std::is_sorted(answers_.ids.begin(), answers_.ids.end()));
    EXPECT_EQ(echo_.monitor.look([&] { return echo_.batches; }), std::vector<int>{100});
}

TEST_F(RpcBatchStream, TakesAllOrNone) {
    config_.queue_max = 10;
    open();
    ASSERT_TRUE(wait_ready());
    std::vector<RegistrationCommand> commands(11);
    const auto refused = client_->send_all(commands);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::resource_exhausted);
    EXPECT_EQ(client_->queued(), 0U);
    EXPECT_TRUE(client_->send_all(std::span(commands).first(10)));
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == 10; }));
}

TEST_F(RpcBatchStream, ManyGreatItemsStayBelowWhatThePeerTakes) {
    open();
    ASSERT_TRUE(wait_ready());
    constexpr std::size_t kCount = 1000;
    RegistrationCommand big;
    big.mutable_register_()->mutable_parameters()->set_object_links(std::string(65536, 'x'));
    for (std::size_t i = 0; i < kCount; ++i) {
        big.set_id(i);
        ASSERT_TRUE(client_->send(big));
    }
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == kCount || answers_.down > 0; }));
    EXPECT_EQ(answers_.down, 0) << answers_.last_error.message;
}

TEST_F(RpcBatchStream, SendsTheHelloFirst) {
    answers_.hello = true;
    open();
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.welcome == 7; }));
}

TEST_F(RpcBatchStream, IsUnavailableUntilThePeerAnswers) {
    server_.reset();
    open();
    const auto refused = send(1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.down >= 2; }));
    EXPECT_EQ(answers_.last_error.code, Errc::unavailable);
}

TEST_F(RpcBatchStream, ReconnectsWhenTheServerComesBack) {
    config_.backoff_max = milliseconds(100);
    open();
    ASSERT_TRUE(wait_ready());
    server_->shutdown(milliseconds(0));
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.down >= 1; }));
    server_.reset();
    serve(address_);
    ASSERT_TRUE(wait_ready(2));
    ASSERT_TRUE(send(5));
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.ids == std::vector<std::uint64_t>{5}; }));
}

// Each attempt holds what opens it, and the client does.
TEST_F(RpcBatchStream, LeavesNothingOfItsAttemptsBehind) {
    struct Told {
        Answers& answers;
        ~Told() {
            answers.monitor.change([this] { answers.released = true; });
        }
    };
    config_.backoff_min = config_.backoff_max = milliseconds(2);
    stub_ = internal::v1::RegistrationService::NewStub(make_channel(address_));
    auto open = [this, told = std::make_shared<Told>(answers_)](auto* context, auto* reactor) {
        stub_->async()->Exchange(context, reactor);
    };
    client_ = std::make_unique<Client>(std::move(open), config_, answers_);
    ASSERT_TRUE(wait_ready());
    server_.reset();
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.down >= 5; }));
    client_.reset();
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.released; }));
}

TEST_F(RpcBatchStream, GivesBackWhatWasNotWritten) {
    config_.batch_max = 16;
    echo_.paused = true;
    open();
    ASSERT_TRUE(wait_ready());
    // The server stops reading after the first batch; with payloads the window fills and the queue stays.
    RegistrationCommand big;
    big.mutable_register_()->set_endpoint(std::string(20000, 'x'));
    for (std::uint64_t i = 0; i < 2000; ++i) {
        big.set_id(i);
        ASSERT_TRUE(client_->send(big));
    }
    ASSERT_TRUE(echo_.monitor.wait([&] { return !echo_.streams.empty(); }));
    server_->shutdown(milliseconds(0));
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.down >= 1; }));
    ASSERT_FALSE(answers_.lost.empty());
    EXPECT_EQ(answers_.lost.back(), 1999U);
}

TEST_F(RpcBatchStream, RefusesMoreThanTheQueueHolds) {
    config_.queue_max = 10;
    echo_.paused = true;
    open();
    ASSERT_TRUE(wait_ready());
    RegistrationCommand big;
    big.mutable_register_()->set_endpoint(std::string(100000, 'x'));
    std::optional<Errc> refused;
    for (int i = 0; i < 10000 && !refused; ++i) {
        if (const auto sent = client_->send(big); !sent) refused = sent.error().code;
    }
    EXPECT_EQ(refused, Errc::resource_exhausted);
    EXPECT_LE(client_->queued(), 10U);
}

TEST_F(RpcBatchStream, ReadsOnAfterAPause) {
    config_.batch_max = 1;
    echo_.paused = true;
    open();
    ASSERT_TRUE(wait_ready());
    ASSERT_TRUE(send(1));
    ASSERT_TRUE(send(2));
    ASSERT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == 1; }));
    echo_.monitor.change([&] { echo_.paused = false; });
    echo_.streams.front().lock()->resume();
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == 2; }));
}

TEST_F(RpcBatchStream, CancelsAPeerThatDoesNotRead) {
    echo_.config.queue_max = 100;
    echo_.answers_each = 20000;
    answers_.blocked = true;
    open();
    ASSERT_TRUE(wait_ready());
    ASSERT_TRUE(send(1));
    ASSERT_TRUE(echo_.monitor.wait([&] { return echo_.refused.has_value(); }));
    EXPECT_EQ(*echo_.refused == Errc::resource_exhausted || *echo_.refused == Errc::cancelled, true);
    ASSERT_TRUE(echo_.monitor.wait([&] { return echo_.closed == 1; }));
    answers_.monitor.change([&] { answers_.blocked = false; });
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.down >= 1; }));
}

TEST_F(RpcBatchStream, WritesEverythingBeforeItStops) {
    open();
    ASSERT_TRUE(wait_ready());
    for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_TRUE(send(i));
    client_->stop(kPatience);
    EXPECT_EQ(answers_.ids.size(), 5000U);
    EXPECT_EQ(client_->state(), StreamState::stopped);
    EXPECT_TRUE(echo_.monitor.wait([&] { return echo_.closed == 1; }));
}

TEST_F(RpcBatchStream, SendsFromManyThreads) {
    open();
    ASSERT_TRUE(wait_ready());
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([this] {
            for (std::uint64_t i = 0; i < 1000; ++i) send(i).value();
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(answers_.monitor.wait([&] { return answers_.ids.size() == 4000; }));
}

}  // namespace
}  // namespace lanyard::rpc
