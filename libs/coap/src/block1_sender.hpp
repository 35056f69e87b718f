#pragma once

#include <cstdint>
#include <optional>

#include "coap/code.hpp"
#include "coap/option.hpp"

namespace lanyard::coap {

// Where one request body stands that is sent by Block1 (RFC 7959 section 2.5). Knows sizes only, not the bytes.
class Block1Sender {
  public:
    Block1Sender() = default;
    Block1Sender(std::size_t total, std::uint8_t szx) : total_(total), szx_(szx) {}

    // The block to send now.
    [[nodiscard]] BlockOption block() const {
        return {static_cast<std::uint32_t>(offset_ >> (szx_ + 4)), offset_ + block_size() < total_, szx_};
    }
    [[nodiscard]] std::size_t offset() const { return offset_; }
    [[nodiscard]] std::size_t size() const { return offset_ + block_size() < total_ ? block_size() : total_ - offset_; }
    // Whether the body fits one block and none has been sent: no Block1 option is needed.
    [[nodiscard]] bool is_single() const { return offset_ == 0 && total_ <= block_size(); }

    enum class Step : std::uint8_t {
        send,    // block() is to be sent
        done,    // the answer is final, good or bad
        broken,  // the peer asks for more than there is
    };
    // Takes the answer to the block sent last. A smaller size that the peer wants is honoured from there on; after
    // 4.13 with a smaller size the body is sent again from its start, after 4.08 once.
    Step on_answer(Code code, const std::optional<BlockOption>& answer) {
        const bool smaller = answer && answer->szx < szx_;
        if (code == Code::continue_) {
            if (!block().more) return Step::broken;
            offset_ += block_size();
            if (smaller) szx_ = answer->szx;
            return Step::send;
        }
        if (code == Code::request_entity_too_large && smaller) {
            szx_ = answer->szx;
            offset_ = 0;
            return Step::send;
        }
        if (code == Code::request_entity_incomplete && !restarted_ && offset_ != 0) {
            restarted_ = true;
            offset_ = 0;
            return Step::send;
        }
        return Step::done;
    }

  private:
    [[nodiscard]] std::size_t block_size() const { return std::size_t{1} << (szx_ + 4); }

    std::size_t total_ = 0;
    std::size_t offset_ = 0;
    std::uint8_t szx_ = 6;
    bool restarted_ = false;
};

}  // namespace lanyard::coap
