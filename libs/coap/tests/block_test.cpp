#include <gtest/gtest.h>

#include "block1_receiver.hpp"
#include "block1_sender.hpp"
#include "block2_cache.hpp"
#include "block2_receiver.hpp"

namespace lanyard::coap {
namespace {

using std::chrono::seconds;

const PeerId kPeer{Address::v4(1, 5683), 0};
const SteadyTime kNow{seconds(50)};
constexpr std::uint8_t kSzx16 = 0;
const Bytes kBlock(16, 0x11);

class Block1ReceiverTest : public testing::Test {
  protected:
    using Outcome = Block1Receiver::Outcome;

    Block1ReceiverTest() {
        limits_.block1_body_bytes = 64;
        limits_.block1_transfers = 3;
        limits_.block1_transfers_per_peer = 2;
    }
    Outcome block(std::uint64_t key, std::uint32_t num, bool more, ByteView payload = kBlock,
                  const PeerId& peer = kPeer) {
        return receiver_.on_block(peer, key, {{num, more, kSzx16}, size1_, payload}, now_);
    }

    EndpointLimits limits_;
    Stats stats_;
    Block1Receiver receiver_{limits_, seconds(93), 1, stats_};
    std::optional<std::uint64_t> size1_;
    SteadyTime now_ = kNow;
};

TEST_F(Block1ReceiverTest, PutsABodyTogether) {
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(1, 1, true), Outcome::more);
    EXPECT_EQ(block(1, 2, false, Bytes(3, 0x22)), Outcome::complete);
    Bytes expected(32, 0x11);
    expected.insert(expected.end(), 3, 0x22);
    EXPECT_EQ(Bytes(receiver_.body().begin(), receiver_.body().end()), expected);
    EXPECT_EQ(receiver_.transfers(), 0U);
    EXPECT_EQ(receiver_.bytes(), 0U);
}

TEST_F(Block1ReceiverTest, TakesASingleBlock) {
    EXPECT_EQ(block(1, 0, false), Outcome::complete);
    EXPECT_EQ(receiver_.body().size(), 16U);
}

TEST_F(Block1ReceiverTest, AnswersGapsAndUnknownTransfers) {
    EXPECT_EQ(block(1, 1, true), Outcome::gap);
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(1, 2, true), Outcome::gap);
    EXPECT_EQ(block(1, 1, true), Outcome::gap);  // given up, to be sent again from its start
    EXPECT_EQ(stats_.block1_gaps, 3U);
}

TEST_F(Block1ReceiverTest, TakesABlockAgain) {
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(1, 1, true), Outcome::more);
    EXPECT_EQ(block(1, 1, true), Outcome::more);
    EXPECT_EQ(block(1, 2, false), Outcome::complete);
    EXPECT_EQ(receiver_.body().size(), 48U);
}

TEST_F(Block1ReceiverTest, StartsAnewWithBlockZero) {
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(1, 1, true), Outcome::more);
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(1, 1, false), Outcome::complete);
    EXPECT_EQ(receiver_.body().size(), 32U);
}

TEST_F(Block1ReceiverTest, RefusesBodiesBeyondTheLimit) {
    for (std::uint32_t num = 0; num < 4; ++num) EXPECT_EQ(block(1, num, true), Outcome::more);
    EXPECT_EQ(block(1, 4, false), Outcome::too_large);
    size1_ = 65;
    EXPECT_EQ(block(1, 0, true), Outcome::too_large);
    EXPECT_EQ(receiver_.bytes(), 0U);
}

TEST_F(Block1ReceiverTest, RefusesShortBlocksWithMoreToCome) {
    EXPECT_EQ(block(1, 0, true, Bytes(15)), Outcome::malformed);
    EXPECT_EQ(block(1, 0, false, Bytes(17)), Outcome::malformed);
}

TEST_F(Block1ReceiverTest, TellsTransfersApart) {
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(2, 0, true), Outcome::more);
    const PeerId other{Address::v4(2, 5683), 0};
    EXPECT_EQ(block(1, 1, true, kBlock, other), Outcome::gap);
    EXPECT_EQ(block(1, 1, false), Outcome::complete);
    EXPECT_EQ(block(2, 1, false), Outcome::complete);
}

TEST_F(Block1ReceiverTest, GivesUpTheOldestBeyondItsBounds) {
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(block(2, 0, true), Outcome::more);
    EXPECT_EQ(block(3, 0, true), Outcome::more);  // the third of this peer
    EXPECT_EQ(block(1, 1, true), Outcome::gap);
    for (std::uint32_t i = 10; i < 13; ++i) {
        EXPECT_EQ(block(1, 0, true, kBlock, PeerId{Address::v4(i, 1), 0}), Outcome::more);
    }
    EXPECT_EQ(receiver_.transfers(), 3U);
    EXPECT_EQ(block(3, 1, true), Outcome::gap);
    EXPECT_EQ(stats_.block1_expired, 3U);
}

TEST_F(Block1ReceiverTest, ForgetsIdleTransfers) {
    EXPECT_EQ(block(1, 0, true), Outcome::more);
    EXPECT_EQ(receiver_.next_timeout(), kNow + seconds(93));
    now_ += seconds(93);
    EXPECT_EQ(block(1, 1, true), Outcome::gap);
    EXPECT_EQ(receiver_.transfers(), 0U);
    EXPECT_FALSE(receiver_.next_timeout().has_value());
}

TEST(Block1SenderTest, SendsEveryBlock) {
    Block1Sender sender(40, kSzx16);
    EXPECT_FALSE(sender.is_single());
    EXPECT_EQ(sender.block(), (BlockOption{0, true, 0}));
    EXPECT_EQ(sender.on_answer(Code::continue_, BlockOption{0, true, 0}), Block1Sender::Step::send);
    EXPECT_EQ(sender.block(), (BlockOption{1, true, 0}));
    EXPECT_EQ(sender.on_answer(Code::continue_, std::nullopt), Block1Sender::Step::send);
    EXPECT_EQ(sender.block(), (BlockOption{2, false, 0}));
    EXPECT_EQ(sender.size(), 8U);
    EXPECT_EQ(sender.on_answer(Code::changed, BlockOption{2, false, 0}), Block1Sender::Step::done);
}

TEST(Block1SenderTest, HonoursASmallerSize) {
    Block1Sender sender(3000, 6);
    EXPECT_EQ(sender.on_answer(Code::continue_, BlockOption{0, true, 2}), Block1Sender::Step::send);
    EXPECT_EQ(sender.block(), (BlockOption{16, true, 2}));  // RFC 7959 section 2.3: offset 1024 in blocks of 64
    EXPECT_EQ(sender.offset(), 1024U);
}

TEST(Block1SenderTest, RetriesSmallerAfterTooLarge) {
    Block1Sender sender(3000, 6);
    EXPECT_EQ(sender.on_answer(Code::request_entity_too_large, BlockOption{0, false, 4}), Block1Sender::Step::send);
    EXPECT_EQ(sender.block(), (BlockOption{0, true, 4}));
    EXPECT_EQ(sender.on_answer(Code::request_entity_too_large, BlockOption{0, false, 4}), Block1Sender::Step::done);
    EXPECT_EQ(sender.on_answer(Code::request_entity_too_large, std::nullopt), Block1Sender::Step::done);
}

TEST(Block1SenderTest, RestartsOnceAfterIncomplete) {
    Block1Sender sender(3000, 6);
    EXPECT_EQ(sender.on_answer(Code::continue_, std::nullopt), Block1Sender::Step::send);
    EXPECT_EQ(sender.on_answer(Code::request_entity_incomplete, std::nullopt), Block1Sender::Step::send);
    EXPECT_EQ(sender.offset(), 0U);
    EXPECT_EQ(sender.on_answer(Code::continue_, std::nullopt), Block1Sender::Step::send);
    EXPECT_EQ(sender.on_answer(Code::request_entity_incomplete, std::nullopt), Block1Sender::Step::done);
}

TEST(Block1SenderTest, DoesNotGoBeyondTheEnd) {
    Block1Sender sender(16, kSzx16);
    EXPECT_TRUE(sender.is_single());
    EXPECT_EQ(sender.on_answer(Code::continue_, std::nullopt), Block1Sender::Step::broken);
}

class Block2ReceiverTest : public testing::Test {
  protected:
    using Step = Block2Receiver::Step;
    Step block(std::uint32_t num, bool more, ByteView payload = kBlock) {
        return receiver_.on_block({num, more, kSzx16}, etag_, payload, 64);
    }
    Block2Receiver receiver_;
    Bytes etag_{1, 2};
};

TEST_F(Block2ReceiverTest, PutsABodyTogether) {
    EXPECT_EQ(block(0, true), Step::fetch);
    EXPECT_EQ(receiver_.next(), (BlockOption{1, false, 0}));
    EXPECT_EQ(block(1, true), Step::fetch);
    EXPECT_EQ(block(2, false, Bytes(1)), Step::complete);
    EXPECT_EQ(receiver_.body().size(), 33U);
}

TEST_F(Block2ReceiverTest, StartsAgainWhenTheEtagChanges) {
    for (unsigned i = 0; i < Block2Receiver::kMaxRestarts; ++i) {
        EXPECT_EQ(block(0, true), Step::fetch);
        ++etag_[0];
        EXPECT_EQ(block(1, true), Step::restart);
        EXPECT_EQ(receiver_.next().num, 0U);
    }
    EXPECT_EQ(block(0, true), Step::fetch);
    etag_.clear();
    EXPECT_EQ(block(1, true), Step::broken);
}

TEST_F(Block2ReceiverTest, RefusesWhatBreaksTheRules) {
    EXPECT_EQ(block(0, true), Step::fetch);
    EXPECT_EQ(block(2, true), Step::broken);
    EXPECT_EQ(block(1, true, Bytes(15)), Step::broken);
    EXPECT_EQ(block(1, false, Bytes(17)), Step::broken);
    EXPECT_EQ(block(1, true), Step::fetch);
    EXPECT_EQ(block(2, true), Step::fetch);
    EXPECT_EQ(block(3, true), Step::fetch);
    EXPECT_EQ(block(4, false), Step::too_large);
}

TEST_F(Block2ReceiverTest, GoesOnWithABodyBegunElsewhere) {
    receiver_ = Block2Receiver(Bytes(32, 0x11), etag_, kSzx16);
    EXPECT_EQ(receiver_.next(), (BlockOption{2, false, 0}));
    EXPECT_EQ(block(2, false), Step::complete);
    EXPECT_EQ(receiver_.body().size(), 48U);
}

TEST(Block2CacheTest, KeepsBodiesWithinItsBounds) {
    EndpointLimits limits;
    limits.block2_cached_bodies = 2;
    limits.block2_cached_bytes = 100;
    Block2Cache cache(limits, seconds(93), 1);
    cache.put(kPeer, 1, kBlock, kBlock, kNow);
    cache.put(kPeer, 2, kBlock, kBlock, kNow);
    EXPECT_NE(cache.find(kPeer, 1, kNow), nullptr);
    cache.put(kPeer, 3, kBlock, kBlock, kNow);
    EXPECT_EQ(cache.find(kPeer, 2, kNow), nullptr);  // used longest ago
    EXPECT_NE(cache.find(kPeer, 1, kNow), nullptr);
    cache.put(kPeer, 4, kBlock, Bytes(80), kNow);
    EXPECT_EQ(cache.bodies(), 1U);
    EXPECT_EQ(cache.bytes(), 96U);
    cache.put(kPeer, 5, kBlock, Bytes(85), kNow);
    EXPECT_EQ(cache.find(kPeer, 5, kNow), nullptr);
    cache.put(kPeer, 4, kBlock, Bytes(10), kNow);
    EXPECT_EQ(cache.bytes(), 26U);
    EXPECT_EQ(cache.find(kPeer, 4, kNow + seconds(93)), nullptr);
    EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace lanyard::coap
