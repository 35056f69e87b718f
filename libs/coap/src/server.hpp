#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "block1_receiver.hpp"
#include "block2_cache.hpp"
#include "client.hpp"
#include "context.hpp"
#include "replay_cache.hpp"
#include "request_scan.hpp"

namespace lanyard::coap {

// The half of an endpoint that answers requests: checks them, puts their bodies together, keeps track of those that
// the application works on, and repeats answers for duplicates. Not thread-safe.
class Server {
  public:
    Server(Context& context, Client& client);

    // A new request, remembered as `sequence` in the dedup table.
    void on_request(const PeerId& peer, const MessageView& request, std::uint64_t sequence, SteadyTime now);
    // A message that is remembered already.
    void on_duplicate(const DedupEntry& entry);
    bool respond(std::uint64_t sequence, const Response& response, SteadyTime now);
    // Lets the dedup table forget its oldest message.
    void forget_oldest();

    // Sends the empty ACKs that are due, gives up idle block transfers.
    void on_timer(SteadyTime now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout();
    [[nodiscard]] std::size_t pending() const { return pending_count_; }

  private:
    // A request that the application works on.
    struct Pending {
        Token token;
        std::uint64_t key = 0;
        std::optional<BlockOption> block1;
        std::optional<BlockOption> block2;
        std::uint32_t next_free = 0;
    };

    void hand_over(const PeerId& peer, const MessageView& request, ByteView payload, const RequestScan& scan,
                   std::uint64_t sequence);
    // True when the body is whole.
    bool receive_block(const PeerId& peer, const MessageView& request, const RequestScan& scan, DedupEntry& entry,
                       SteadyTime now);
    bool serve_cached(const PeerId& peer, const Pending& asked, DedupEntry& entry, SteadyTime now);
    void respond_blockwise(DedupEntry& entry, const Pending& pending, const Response& response, SteadyTime now);
    // Cuts the block that was asked for out of the body and adds the block options; a bad request is answered so.
    void send_block(DedupEntry& entry, const Pending& pending, Code code, Options& options, ByteView body,
                    SteadyTime now);
    void keep_body(const PeerId& peer, std::uint64_t key, Code code, const Options& options, ByteView body,
                   SteadyTime now);
    // Piggybacked, separate or non-confirmable, as the state of the entry demands. False if it does not fit.
    bool send_reply(DedupEntry& entry, const Token& token, Code code, const Options& options, ByteView payload,
                    SteadyTime now);
    // Answers with an error and `reason` as diagnostic payload, RFC 7252 section 5.5.2.
    void refuse(DedupEntry& entry, const Token& token, Code code, std::string_view reason, SteadyTime now,
                const Options& options = {});
    void refuse_option(DedupEntry& entry, const Token& token, OptionNumber number, SteadyTime now);
    void remember_answer(DedupEntry& entry, const Token& token, Code code, ByteView datagram, bool plain);
    void replay(const DedupEntry& entry);
    std::optional<std::uint32_t> allocate();
    Pending release(std::uint32_t slot);
    // Moves the cursor to the first request that may need an empty ACK.
    DedupEntry* first_unacknowledged();

    Context& context_;
    Client& client_;
    ReplayCache replays_;
    Block1Receiver block1_;
    Block2Cache block2_;
    std::vector<Pending> pending_;
    std::uint32_t free_ = kNoSlot;
    std::size_t pending_count_ = 0;
    std::uint64_t ack_cursor_ = 0;
    static constexpr std::uint32_t kNoSlot = 0xffffffff;
    static constexpr std::string_view kAnswerTooLong = "the answer does not fit";
};

}  // namespace lanyard::coap
