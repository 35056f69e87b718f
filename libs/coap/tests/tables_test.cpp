#include <map>
#include <random>

#include <gtest/gtest.h>

#include "dedup_table.hpp"
#include "replay_cache.hpp"
#include "request_scan.hpp"

namespace lanyard::coap {
namespace {

PeerId peer_of(std::uint32_t n) {
    return {Address::v4(n, 5683), n % 3};
}

TEST(DedupTableTest, FindsWhatWasPutUntilItIsForgotten) {
    DedupTable table(1024, 7);
    std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint64_t> model;
    std::map<std::uint64_t, std::pair<std::uint32_t, std::uint16_t>> order;
    std::mt19937 random(3);
    for (int step = 0; step < 50'000; ++step) {
        const auto n = static_cast<std::uint32_t>(random() % 400);
        const auto mid = static_cast<std::uint16_t>(random() % 8);
        const PeerId peer = peer_of(n);
        const auto key = table.key(peer, mid);
        const DedupEntry* found = table.find(key);
        ASSERT_EQ(found != nullptr, model.contains({n, mid}));
        if (found != nullptr) {
            ASSERT_EQ(found, table.at(model[{n, mid}]));
            ASSERT_EQ(found->peer(), peer);
        } else {
            while (table.full() || (!table.empty() && random() % 3 == 0)) {
                model.erase(order.begin()->second);
                order.erase(order.begin());
                table.pop_oldest();
            }
            const std::uint64_t sequence = table.insert(key, 0);
            model[{n, mid}] = sequence;
            order[sequence] = {n, mid};
        }
        ASSERT_EQ(table.size(), model.size());
    }
}

TEST(DedupTableTest, GrowsToItsCapacityAndKnowsStaleNames) {
    DedupTable table(1000, 7);  // rounded up to 1024
    for (std::uint32_t n = 0; n < 1024; ++n) table.insert(table.key(peer_of(n), 5), n);
    EXPECT_TRUE(table.full());
    for (std::uint32_t n = 0; n < 1024; ++n) ASSERT_EQ(table.find(table.key(peer_of(n), 5))->arrived_ms, n);
    const std::uint64_t first = table.oldest();
    table.pop_oldest();
    EXPECT_EQ(table.at(first), nullptr);
    EXPECT_EQ(table.at(table.next()), nullptr);
    EXPECT_EQ(table.find(table.key(peer_of(0), 5)), nullptr);
    EXPECT_NE(table.find(table.key(peer_of(1), 5)), nullptr);
}

TEST(ReplayCacheTest, KeepsTheLastAnswers) {
    ReplayCache cache(64);
    const Bytes answer(20, 0x33);
    std::vector<ReplayCache::Place> places;
    for (int i = 0; i < 10; ++i) {
        places.push_back(*cache.add(answer));
        const auto found = cache.find(places.back());
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->size(), 20U);
    }
    EXPECT_TRUE(cache.find(places[8]).has_value());
    EXPECT_FALSE(cache.find(places[5]).has_value());
    EXPECT_FALSE(cache.add(Bytes(65)).has_value());
}

RequestScan scan(const Options& options, Code method = Code::get, ByteView payload = {}) {
    static Bytes buffer(4096);
    MessageView view;
    EXPECT_EQ(view.decode(encode(buffer, {Type::confirmable, method, 1}, {}, options, payload)), DecodeError::none);
    return scan_request(view);
}

// RFC 9175 section 3.3 and RFC 7252 section 5.4.2.
TEST(RequestScanTest, KeysByWhatNamesTheRepresentation) {
    const std::uint64_t key = scan(Options().path("3/0").accept(112)).key;
    EXPECT_EQ(scan(Options().path("3/0").accept(112)).key, key);
    EXPECT_NE(scan(Options().path("3/1").accept(112)).key, key);
    EXPECT_NE(scan(Options().path("30").accept(112)).key, key);
    EXPECT_NE(scan(Options().path("3/0").accept(110)).key, key);
    EXPECT_NE(scan(Options().path("3/0").accept(112), Code::fetch).key, key);
    EXPECT_NE(scan(Options().path("3/0").accept(112).add(OptionNumber::request_tag, "a")).key, key);
    EXPECT_EQ(scan(Options().path("3/0").accept(112).observe(0)).key, key);
    EXPECT_EQ(scan(Options().path("3/0").accept(112).add_block(OptionNumber::block2, {5, false, 6})).key, key);
    EXPECT_EQ(scan(Options().path("3/0").accept(112).add_uint(OptionNumber::size1, 7)).key, key);
    EXPECT_NE(scan({}, Code::fetch, as_bytes("a")).key, scan({}, Code::fetch, as_bytes("b")).key);
    EXPECT_EQ(scan({}, Code::post, as_bytes("a")).key, scan({}, Code::post, as_bytes("b")).key);
}

TEST(RequestScanTest, SeesBadOptions) {
    EXPECT_FALSE(scan(Options().path("a").query("b").query("c")).bad_option);
    EXPECT_TRUE(scan(Options().accept(1).accept(1)).bad_option);
    EXPECT_TRUE(scan(Options().add(OptionNumber::oscore, "")).bad_option);
    EXPECT_TRUE(scan(Options().add(OptionNumber::accept, "abc")).bad_option);
    EXPECT_FALSE(scan(Options().add(OptionNumber::content_format, "abc")).bad_option);
    EXPECT_TRUE(scan(Options().add_uint(OptionNumber::block1, 7)).bad_block);
    EXPECT_TRUE(scan(Options().add(OptionNumber::proxy_uri, "coap://a")).proxy);
}

}  // namespace
}  // namespace lanyard::coap
