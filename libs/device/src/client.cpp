#include "device/client.hpp"

#include <algorithm>

#include "device/operation.hpp"
#include "lwm2m/codec.hpp"
#include "observation_list.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using coap::OptionNumber;

const coap::PeerId kServer{};
// Cookies of requests; those of notifications are above.
constexpr std::uint64_t kFirstNotificationCookie = 16;

std::string location_of(const coap::MessageView& message) {
    std::string location;
    for (const coap::OptionView& option : message.options()) {
        if (option.number == OptionNumber::location_path) location += "/" + lanyard::to_string(option.value);
    }
    return location;
}

}  // namespace

class Client::Core final : public coap::EndpointVisitor {
  public:
    Core(const ClientConfig& config, ObjectTree tree, ClientSink& sink, Now now)
        : config_(config), tree_(std::move(tree)), sink_(sink), now_(now), endpoint_(config.coap, *this, now) {}

    void on_datagram(ByteView datagram, Now now) {
        now_ = now;
        endpoint_.on_datagram(kServer, datagram, now);
        notify_due();
    }
    void on_timer(Now now) {
        now_ = now;
        endpoint_.on_timer(now);
        notify_due();
    }
    [[nodiscard]] std::optional<SteadyTime> next_timeout() const {
        std::optional<SteadyTime> next = endpoint_.next_timeout();
        if (in_flight_) return next;
        for (const ObservationList::Entry& entry : observations_.entries()) {
            const std::optional<SteadyTime> time = ObservationList::time_of(entry, tree_);
            if (time && (!next || *time < *next)) next = time;
        }
        return next;
    }

    bool send(ClientRequest kind, const coap::Request& request, Now now) {
        now_ = now;
        const auto cookie = static_cast<std::uint64_t>(kind) + 1;
        return endpoint_.send_request(kServer, request, cookie, now) == coap::SendStatus::ok;
    }
    bool send_register(Now now) {
        objects_ = lwm2m::write_object_list(tree_.objects(), config_.registration.version);
        coap::Request request;
        request.method = Code::post;
        request.options.path("/rd").content_format(lwm2m::number_of(lwm2m::ContentFormat::link_format));
        for (const std::string& item : lwm2m::register_query(config_.registration)) request.options.query(item);
        request.payload = as_bytes(objects_);
        return send(ClientRequest::register_, request, now);
    }
    bool send_update(Now now, std::optional<std::uint32_t> lifetime_s, bool with_objects) {
        if (location_.empty()) return false;
        coap::Request request;
        request.method = Code::post;
        request.options.path(location_);
        if (lifetime_s) request.options.query("lt=" + std::to_string(*lifetime_s));
        if (with_objects) {
            objects_ = lwm2m::write_object_list(tree_.objects(), config_.registration.version);
            request.options.content_format(lwm2m::number_of(lwm2m::ContentFormat::link_format));
            request.payload = as_bytes(objects_);
        }
        return send(ClientRequest::update, request, now);
    }
    bool send_deregister(Now now) {
        if (location_.empty()) return false;
        coap::Request request;
        request.method = Code::delete_;
        request.options.path(location_);
        return send(ClientRequest::deregister, request, now);
    }
    bool send_data(std::span<const lwm2m::Record> records, Now now) {
        const Result<Bytes> payload = lwm2m::encode(config_.preferred, lwm2m::Path(), records);
        if (location_.empty() || !payload) return false;
        coap::Request request;
        request.method = Code::post;
        request.options.path("/dp").content_format(lwm2m::number_of(config_.preferred));
        request.payload = *payload;
        return send(ClientRequest::send, request, now);
    }
    void set(const lwm2m::Path& path, lwm2m::Value value, Now now) {
        now_ = now;
        tree_.set(path, std::move(value));
        notify_due();
    }

    [[nodiscard]] ObjectTree& tree() { return tree_; }
    [[nodiscard]] const std::string& location() const { return location_; }
    [[nodiscard]] std::size_t observations() const { return observations_.entries().size(); }
    [[nodiscard]] const coap::Stats& stats() const { return endpoint_.stats(); }

    void transmit(const coap::PeerId&, ByteView datagram) override { sink_.transmit(datagram); }
    void on_request(const coap::PeerId&, const coap::RequestView& request, coap::RequestHandle handle) override {
        const ParsedOperation parsed = parse_operation(request.message, request.payload);
        coap::Response response;
        if (parsed.refusal != Code::empty) {
            response.code = parsed.refusal;
            endpoint_.respond(handle, response, now_);
            return;
        }
        const Answer answer = serve(tree_, parsed.operation, config_.preferred);
        response.code = answer.code;
        if (coap::is_success(answer.code)) observe_or_cancel(parsed.operation, request.message.token(), response);
        if (answer.format) response.options.content_format(lwm2m::number_of(*answer.format));
        response.payload = answer.payload;
        endpoint_.respond(handle, response, now_);
    }
    void on_response(std::uint64_t cookie, const coap::ResponseView& response) override {
        const auto kind = static_cast<ClientRequest>(cookie - 1);
        if (kind == ClientRequest::register_ && response.code() == Code::created) {
            location_ = location_of(response.message);
            observations_.clear();
        }
        if (kind == ClientRequest::deregister) end_registration();
        if (kind == ClientRequest::update && response.code() == Code::not_found) end_registration();
        sink_.on_answer(kind, response.code());
    }
    void on_request_failed(std::uint64_t cookie, coap::FailureReason) override {
        sink_.on_answer(static_cast<ClientRequest>(cookie - 1), std::nullopt);
    }
    // A device observes nobody.
    void on_notification(const coap::PeerId&, const coap::NotificationView&, coap::NotificationHandle handle) override {
        endpoint_.reset(handle);
    }
    void on_notification_acknowledged(std::uint64_t cookie) override { settle(cookie, true); }
    void on_notification_failed(std::uint64_t cookie, coap::FailureReason) override {
        settle(cookie, false);
        observations_.remove_id(cookie - kFirstNotificationCookie);
    }
    void on_reset(const coap::PeerId&, std::uint16_t mid) override { observations_.remove_mid(mid); }

  private:
    void end_registration() {
        location_.clear();
        observations_.clear();
    }

    void settle(std::uint64_t cookie, bool acknowledged) {
        const ObservationList::Entry* entry = observations_.find(cookie - kFirstNotificationCookie);
        if (entry != nullptr) sink_.on_notification(entry->path, acknowledged);
        in_flight_ = std::nullopt;
    }

    void observe_or_cancel(const Operation& operation, const coap::Token& token, coap::Response& response) {
        if (operation.kind == OperationKind::cancel_observation) observations_.remove_token(token);
        if (operation.kind != OperationKind::observe) return;
        ObservationList::Entry* entry = observations_.add(token, operation.path, operation.accept);
        if (entry == nullptr) return;
        remember(*entry);
        response.options.observe(entry->sequence++);
    }

    void remember(ObservationList::Entry& entry) {
        entry.notified.clear();
        static_cast<void>(tree_.read(entry.path, entry.notified));
        entry.previous = entry.notified;
        entry.notified_at = now_.steady;
        entry.due = false;
    }

    // One confirmable notification at a time; the next goes out when that is settled.
    void notify_due() {
        for (ObservationList::Entry& entry : observations_.entries()) {
            ObservationList::look_at(entry, tree_);
            const std::optional<SteadyTime> time = ObservationList::time_of(entry, tree_);
            if (!time || *time > now_.steady || in_flight_) continue;
            notify(entry);
        }
    }

    void notify(ObservationList::Entry& entry) {
        const Answer answer = read_answer(tree_, entry.path, entry.accept, config_.preferred);
        coap::Notification notification;
        notification.token = entry.token;
        notification.code = answer.code;
        notification.confirmable = config_.confirmable_notifications;
        notification.options.observe(entry.sequence++);
        if (answer.format) notification.options.content_format(lwm2m::number_of(*answer.format));
        notification.payload = answer.payload;
        const std::uint64_t cookie = kFirstNotificationCookie + entry.id;
        remember(entry);
        const coap::SendStatus sent = endpoint_.send_notification(kServer, notification, cookie, now_, &entry.last_mid);
        if (sent == coap::SendStatus::ok && notification.confirmable) in_flight_ = cookie;
    }

    const ClientConfig config_;
    ObjectTree tree_;
    ClientSink& sink_;
    Now now_;
    std::string location_;
    std::string objects_;
    ObservationList observations_;
    std::optional<std::uint64_t> in_flight_;
    coap::Endpoint endpoint_;
};

Client::Client(const ClientConfig& config, ObjectTree tree, ClientSink& sink, Now now)
    : core_(std::make_unique<Core>(config, std::move(tree), sink, now)) {}
Client::~Client() = default;

void Client::on_datagram(ByteView datagram, Now now) {
    core_->on_datagram(datagram, now);
}
void Client::on_timer(Now now) {
    core_->on_timer(now);
}
std::optional<SteadyTime> Client::next_timeout() const {
    return core_->next_timeout();
}
bool Client::send_register(Now now) {
    return core_->send_register(now);
}
bool Client::send_update(Now now, std::optional<std::uint32_t> lifetime_s, bool with_objects) {
    return core_->send_update(now, lifetime_s, with_objects);
}
bool Client::send_deregister(Now now) {
    return core_->send_deregister(now);
}
bool Client::send_data(std::span<const lwm2m::Record> records, Now now) {
    return core_->send_data(records, now);
}
ObjectTree& Client::tree() {
    return core_->tree();
}
void Client::set(const lwm2m::Path& path, lwm2m::Value value, Now now) {
    core_->set(path, std::move(value), now);
}
const std::string& Client::location() const {
    return core_->location();
}
std::size_t Client::observations() const {
    return core_->observations();
}
const coap::Stats& Client::stats() const {
    return core_->stats();
}

}  // namespace lanyard::device
