#include "runtime/poller.hpp"

#include <array>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/mailbox.hpp"

namespace lanyard::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Poller, ReportsWhatIsReadyByItsTag) {
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    const FileDescriptor a(pair[0]);
    FileDescriptor b(pair[1]);
    Poller poller;
    poller.add(a.get(), 42);
    EXPECT_TRUE(poller.wait(Duration::zero()).empty());
    ASSERT_EQ(write(b.get(), "x", 1), 1);
    auto ready = poller.wait(5s);
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].tag, 42U);
    EXPECT_TRUE(ready[0].readable);
    EXPECT_FALSE(ready[0].writable);

    poller.modify(a.get(), 43, {.read = false, .write = true});
    ready = poller.wait(5s);
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].tag, 43U);
    EXPECT_TRUE(ready[0].writable);

    b.reset();
    ready = poller.wait(5s);
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_TRUE(ready[0].failed);
    poller.remove(a.get());
    EXPECT_TRUE(poller.wait(Duration::zero()).empty());
}

TEST(Poller, DoesNotReturnBeforeTheTimeout) {
    Poller poller;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(poller.wait(1500us).empty());
    EXPECT_GE(std::chrono::steady_clock::now() - start, 1500us);
}

TEST(Wakeup, StaysReadableUntilCleared) {
    const Wakeup wakeup;
    Poller poller;
    poller.add(wakeup.fd(), 1);
    wakeup.notify();
    wakeup.notify();
    EXPECT_EQ(poller.wait(Duration::zero()).size(), 1U);
    EXPECT_EQ(poller.wait(Duration::zero()).size(), 1U);
    wakeup.clear();
    EXPECT_TRUE(poller.wait(Duration::zero()).empty());
}

struct MailboxTest : testing::Test {
    bool woken() { return !poller.wait(Duration::zero()).empty(); }
    MailboxTest() { poller.add(wakeup.fd(), 1); }
    Wakeup wakeup;
    Poller poller;
    Mailbox<std::unique_ptr<int>> mailbox{3, wakeup};
    std::vector<std::unique_ptr<int>> batch;
};

TEST_F(MailboxTest, RefusesWhenFullAndLeavesTheMessageAlone) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(mailbox.push(std::make_unique<int>(i)));
    auto fourth = std::make_unique<int>(3);
    EXPECT_FALSE(mailbox.push(std::move(fourth)));
    ASSERT_NE(fourth, nullptr);
    mailbox.drain(batch);
    ASSERT_EQ(batch.size(), 3U);
    EXPECT_EQ(*batch[2], 2);
    EXPECT_TRUE(mailbox.push(std::move(fourth)));
}

TEST_F(MailboxTest, WakesOnlyAConsumerThatSleepsAndOnlyOnce) {
    EXPECT_TRUE(mailbox.push(std::make_unique<int>(1)));
    EXPECT_FALSE(woken());
    EXPECT_FALSE(mailbox.prepare_to_sleep());
    mailbox.drain(batch);
    EXPECT_TRUE(mailbox.prepare_to_sleep());
    EXPECT_TRUE(mailbox.push(std::make_unique<int>(2)));
    EXPECT_TRUE(woken());
    wakeup.clear();
    EXPECT_TRUE(mailbox.push(std::make_unique<int>(3)));
    EXPECT_FALSE(woken());
}

TEST(Mailbox, LosesNothingBetweenManyThreadsAndOneSleeper) {
    constexpr int kThreads = 4;
    constexpr int kEach = 2000;
    const Wakeup wakeup;
    Poller poller;
    poller.add(wakeup.fd(), 1);
    Mailbox<int> mailbox(kThreads * kEach, wakeup);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&mailbox] {
            for (int i = 0; i < kEach; ++i) EXPECT_TRUE(mailbox.push(int{i}));
        });
    }
    std::size_t got = 0;
    std::vector<int> batch;
    while (got < kThreads * kEach) {
        if (mailbox.prepare_to_sleep()) {
            ASSERT_FALSE(poller.wait(10s).empty());
            wakeup.clear();
        }
        mailbox.drain(batch);
        got += batch.size();
    }
    EXPECT_EQ(mailbox.size(), 0U);
}

}  // namespace
}  // namespace lanyard::runtime
