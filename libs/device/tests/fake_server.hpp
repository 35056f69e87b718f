#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "coap/message.hpp"
#include "device/fleet.hpp"

namespace lanyard::device {

// One datagram that a device has sent, taken apart.
struct Seen {
    DeviceIndex device = 0;
    coap::Type type = coap::Type::confirmable;
    coap::Code code = coap::Code::empty;
    std::uint16_t mid = 0;
    coap::Token token;
    std::string path;
    std::vector<std::string> query;
    std::optional<std::uint32_t> observe;
    std::optional<std::uint16_t> format;
    Bytes payload;
    SteadyTime at;
};

// A server in virtual time for a fleet: registers everybody, acknowledges everything, unless told otherwise.
class FakeServer final : public FleetSink {
  public:
    explicit FakeServer(const FleetProfile& profile, std::size_t count = 1) : fleet(profile, count, *this, now) {}

    void transmit(DeviceIndex device, ByteView datagram) override {
        in_flight_.push_back({device, Bytes(datagram.begin(), datagram.end())});
    }
    void on_finished(const ExchangeReport& report) override { reports.push_back(report); }

    // Virtual time goes on; what the devices send is seen and answered.
    void run(std::chrono::milliseconds time) {
        const SteadyTime end = now.steady + time;
        deliver();
        while (true) {
            const auto next = fleet.next_deadline();
            if (!next || *next > end) break;
            move_to(std::max(*next, now.steady));
            fleet.advance(now);
            deliver();
        }
        move_to(end);
    }

    void start_all() {
        for (std::size_t i = 0; i < fleet.size(); ++i) fleet.start(static_cast<DeviceIndex>(i), now.steady);
        run(std::chrono::milliseconds(50));
    }

    void send(DeviceIndex device, coap::Type type, coap::Code code, std::uint16_t mid, const coap::Token& token,
              const coap::Options& options = {}, ByteView payload = {}) {
        std::array<std::uint8_t, 1280> buffer;
        const ByteView datagram = coap::encode(buffer, {type, code, mid}, token, options, payload);
        fleet.receive(device, datagram, now);
    }

    // A request of the server and its answer, which must come at once.
    Seen request(DeviceIndex device, coap::Code code, const coap::Options& options, ByteView payload = {},
                 const coap::Token& token = coap::Token::from_u64(7)) {
        deliver();
        send(device, coap::Type::confirmable, code, next_mid_++, token, options, payload);
        Seen answer;
        if (!in_flight_.empty()) {
            answer = decode(in_flight_.front());
            in_flight_.pop_front();
        }
        deliver();
        return answer;
    }

    [[nodiscard]] std::vector<Seen> notifications() const {
        std::vector<Seen> found;
        for (const Seen& seen : all) {
            if (seen.observe && coap::is_response(seen.code)) found.push_back(seen);
        }
        return found;
    }
    [[nodiscard]] std::vector<Seen> requests(coap::Code code, std::string_view path) const {
        std::vector<Seen> found;
        for (const Seen& seen : all) {
            if (seen.code == code && seen.path.starts_with(path)) found.push_back(seen);
        }
        return found;
    }

    // True: this datagram is lost on its way, in either direction.
    std::function<bool()> lose = [] { return false; };
    coap::Code register_code = coap::Code::created;
    coap::Code update_code = coap::Code::changed;
    std::optional<std::uint32_t> max_age;
    bool acknowledge_notifications = true;
    bool answers = true;

    Now now{SteadyTime(std::chrono::hours(1)), 1'700'000'000'000};
    std::vector<Seen> all;
    std::vector<ExchangeReport> reports;
    Fleet fleet;

  private:
    struct Datagram {
        DeviceIndex device;
        Bytes bytes;
    };

    void move_to(SteadyTime time) {
        now.wall_ms += std::chrono::duration_cast<std::chrono::milliseconds>(time - now.steady).count();
        now.steady = time;
    }

    Seen decode(const Datagram& datagram) const {
        coap::MessageView message;
        Seen seen;
        if (message.decode(datagram.bytes) != coap::DecodeError::none) return seen;
        seen = {datagram.device,
                message.type(),
                message.code(),
                message.mid(),
                message.token(),
                message.path(),
                {},
                message.observe(),
                message.content_format(),
                Bytes(message.payload().begin(), message.payload().end()),
                now.steady};
        for (const coap::OptionView& option : message.options()) {
            if (option.number == coap::OptionNumber::uri_query) seen.query.push_back(lanyard::to_string(option.value));
        }
        return seen;
    }

    void deliver() {
        while (!in_flight_.empty()) {
            const Datagram datagram = std::move(in_flight_.front());
            in_flight_.pop_front();
            if (lose()) continue;
            const Seen seen = decode(datagram);
            all.push_back(seen);
            if (!lose()) answer(seen);
        }
    }

    void answer(const Seen& seen) {
        if (!answers || seen.type != coap::Type::confirmable) return;
        coap::Options options;
        if (max_age) options.max_age(*max_age);
        if (coap::is_response(seen.code)) {
            if (!acknowledge_notifications) return;
            fleet.receive(seen.device, coap::encode_empty(coap::Type::acknowledgement, seen.mid), now);
        } else if (seen.path == "/rd") {
            if (register_code == coap::Code::created) options.location("/rd/abc" + std::to_string(seen.device));
            send(seen.device, coap::Type::acknowledgement, register_code, seen.mid, seen.token, options);
        } else {
            const coap::Code code = seen.code == coap::Code::delete_ ? coap::Code::deleted : update_code;
            send(seen.device, coap::Type::acknowledgement, code, seen.mid, seen.token, options);
        }
    }

    std::deque<Datagram> in_flight_;
    std::uint16_t next_mid_ = 100;
};

}  // namespace lanyard::device
