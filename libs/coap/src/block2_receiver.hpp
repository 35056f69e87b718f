#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "coap/limits.hpp"
#include "coap/option.hpp"

namespace lanyard::coap {

// Puts one response body together that arrives by Block2 (RFC 7959 section 2.4). The ETag must stay the same; when
// it changes, the body is fetched again from its start, a few times.
class Block2Receiver {
  public:
    static constexpr unsigned kMaxRestarts = 3;

    Block2Receiver() = default;
    // With the beginning of a body that has arrived before, whole blocks of `szx`.
    Block2Receiver(ByteView received, ByteView etag, std::uint8_t szx)
        : body_(received.begin(), received.end()), szx_(szx) {
        keep_etag(etag);
    }

    enum class Step : std::uint8_t {
        fetch,      // next() is to be asked for
        restart,    // so is it, because the body has changed
        complete,   // body() is whole
        too_large,  // beyond `limit`
        broken,     // the peer broke the rules, or the body keeps changing
    };
    Step on_block(const BlockOption& block, ByteView etag, ByteView payload, std::size_t limit) {
        if (block.offset() != 0 && !same_etag(etag)) return restart();
        if (block.offset() == 0 && !body_.empty()) body_.clear();  // the peer starts again by itself
        if (block.offset() != body_.size()) return Step::broken;
        if (block.more ? payload.size() != block.size() : payload.size() > block.size()) return Step::broken;
        if (body_.size() + payload.size() > limit) return Step::too_large;
        if (body_.empty()) keep_etag(etag);
        body_.insert(body_.end(), payload.begin(), payload.end());
        szx_ = std::min(szx_, block.szx);
        if (!block.more) return Step::complete;
        return next().num > kMaxBlockNum ? Step::too_large : Step::fetch;
    }
    // The block to ask for; M is always 0 in a request.
    [[nodiscard]] BlockOption next() const {
        return {static_cast<std::uint32_t>(body_.size() >> (szx_ + 4)), false, szx_};
    }
    [[nodiscard]] ByteView body() const { return body_; }

  private:
    Step restart() {
        body_.clear();
        return ++restarts_ > kMaxRestarts ? Step::broken : Step::restart;
    }
    void keep_etag(ByteView etag) {
        etag_size_ = static_cast<std::uint8_t>(std::min(etag.size(), kMaxEtagSize));
        std::copy_n(etag.begin(), etag_size_, etag_.begin());
    }
    [[nodiscard]] bool same_etag(ByteView etag) const {
        return std::equal(etag.begin(), etag.end(), etag_.begin(), etag_.begin() + etag_size_);
    }

    Bytes body_;
    std::array<std::uint8_t, kMaxEtagSize> etag_{};
    std::uint8_t etag_size_ = 0;
    std::uint8_t szx_ = 6;
    unsigned restarts_ = 0;
};

}  // namespace lanyard::coap
