#include "device/client.hpp"

#include <deque>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lwm2m/codec.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using lwm2m::Path;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

struct AnswerSeen {
    Code code = Code::empty;
    std::string payload;
    std::optional<std::uint32_t> observe;
    std::optional<std::uint16_t> format;
    bool failed = false;
};

// A server endpoint that registers everybody and remembers what it gets.
class Server final : public coap::EndpointVisitor {
  public:
    explicit Server(Now start) : now(start), endpoint(config(), *this, start) {}

    void transmit(const coap::PeerId&, ByteView datagram) override {
        out.emplace_back(datagram.begin(), datagram.end());
    }
    void on_request(const coap::PeerId&, const coap::RequestView& request, coap::RequestHandle handle) override {
        bodies.push_back(lanyard::to_string(request.payload));
        paths.push_back(request.message.path());
        coap::Response response;
        response.code = request.method() == Code::delete_ ? Code::deleted : Code::changed;
        if (paths.back() == "/rd") {
            response.code = Code::created;
            response.options.location("/rd/xyz");
        }
        endpoint.respond(handle, response, now);
    }
    void on_response(std::uint64_t cookie, const coap::ResponseView& response) override {
        answers[cookie] = {response.code(), lanyard::to_string(response.payload), response.observe,
                           response.message.content_format(), false};
    }
    void on_request_failed(std::uint64_t cookie, coap::FailureReason) override { answers[cookie].failed = true; }
    void on_notification(const coap::PeerId&, const coap::NotificationView& notification,
                         coap::NotificationHandle handle) override {
        notified.push_back(lanyard::to_string(notification.payload));
        notified_at.push_back(now.steady);
        if (refuse_notifications) {
            endpoint.reset(handle);
        } else {
            endpoint.ack(handle);
        }
    }

    Now now;
    std::deque<Bytes> out;
    std::vector<std::string> bodies;
    std::vector<std::string> paths;
    std::map<std::uint64_t, AnswerSeen> answers;
    std::vector<std::string> notified;
    std::vector<SteadyTime> notified_at;
    bool refuse_notifications = false;
    coap::Endpoint endpoint;

  private:
    static coap::EndpointConfig config() {
        coap::EndpointConfig config;
        config.seed = 99;
        config.szx = 4;  // 256 bytes: block-wise in both directions
        return config;
    }
};

ObjectTree sensor_tree() {
    ObjectTree tree;
    tree.add(Path{1, 0, 1}, std::int64_t{300}, ObjectTree::Access::read_write);
    tree.add(Path{3, 0, 0}, std::string("Maker"));
    tree.add(Path{3303, 0, 5700}, 21.5);
    tree.add(Path{3303, 0, 5701}, std::string("Cel"));
    tree.add(Path{16, 0, 0, 0}, std::string(2'000, 'x'), ObjectTree::Access::read_write);
    return tree;
}

// Client and server with a network between them, in virtual time.
class ClientTest : public ::testing::Test, public ClientSink {
  protected:
    ClientTest() : client_(config(), sensor_tree(), *this, server_.now) {
        client_.tree().add_action(Path{3303, 0, 5605}, [this](ByteView arguments) -> Result<void> {
            executed_ = lanyard::to_string(arguments);
            return {};
        });
    }

    void transmit(ByteView datagram) override { out_.emplace_back(datagram.begin(), datagram.end()); }
    void on_answer(ClientRequest, std::optional<Code> code) override { last_code_ = code; }

    void run(milliseconds time) {
        const SteadyTime end = server_.now.steady + time;
        while (true) {
            exchange();
            std::optional<SteadyTime> next = client_.next_timeout();
            const std::optional<SteadyTime> other = server_.endpoint.next_timeout();
            if (other && (!next || *other < *next)) next = other;
            if (!next || *next > end) break;
            server_.now.steady = std::max(*next, server_.now.steady + milliseconds(1));
            client_.on_timer(server_.now);
            server_.endpoint.on_timer(server_.now);
        }
        server_.now.steady = end;
    }
    void exchange() {
        while (!out_.empty() || !server_.out.empty()) {
            std::deque<Bytes> up;
            std::deque<Bytes> down;
            up.swap(out_);
            down.swap(server_.out);
            for (const Bytes& datagram : up) {
                if (!lose_()) server_.endpoint.on_datagram({}, datagram, server_.now);
            }
            for (const Bytes& datagram : down) {
                if (!lose_()) client_.on_datagram(datagram, server_.now);
            }
        }
    }

    AnswerSeen request(Code method, std::string_view path, std::string_view payload = {},
                       std::optional<std::uint16_t> format = {}, std::optional<std::uint32_t> observe = {},
                       std::initializer_list<std::string_view> query = {}, std::uint64_t token = 5) {
        coap::Request request;
        request.method = method;
        if (observe) request.options.observe(*observe);
        request.options.path(path);
        if (format && !payload.empty()) request.options.content_format(*format);
        for (const std::string_view item : query) request.options.query(item);
        if (format && payload.empty()) request.options.accept(*format);
        request.payload = as_bytes(payload);
        request.token = coap::Token::from_u64(token);
        const std::uint64_t cookie = ++cookie_;
        EXPECT_EQ(server_.endpoint.send_request({}, request, cookie, server_.now), coap::SendStatus::ok);
        run(milliseconds(100));
        return server_.answers[cookie];
    }

    static ClientConfig config() {
        ClientConfig config;
        config.registration.endpoint = "client-1";
        config.registration.version = {1, 1};
        config.coap.seed = 5;
        config.coap.szx = 4;
        return config;
    }

    Server server_{Now{SteadyTime(std::chrono::hours(1)), 1'700'000'000'000}};
    std::deque<Bytes> out_;
    Client client_;
    std::function<bool()> lose_ = [] { return false; };
    std::optional<Code> last_code_;
    std::string executed_;
    std::uint64_t cookie_ = 0;
};

TEST_F(ClientTest, RegistersUpdatesAndDeregisters) {
    ASSERT_TRUE(client_.send_register(server_.now));
    run(milliseconds(10));
    EXPECT_EQ(client_.location(), "/rd/xyz");
    EXPECT_THAT(server_.bodies[0], HasSubstr("</3303/0>"));
    ASSERT_TRUE(client_.send_update(server_.now, 60));
    run(milliseconds(10));
    EXPECT_EQ(server_.paths.back(), "/rd/xyz");
    ASSERT_TRUE(client_.send_deregister(server_.now));
    run(milliseconds(10));
    EXPECT_TRUE(client_.location().empty());
    EXPECT_FALSE(client_.send_update(server_.now));
}

TEST_F(ClientTest, SendsAnObjectListOfManyBlocks) {
    for (std::uint16_t instance = 1; instance < 200; ++instance) {
        client_.tree().add(Path{3303, instance, 5700}, 1.0);
    }
    ASSERT_TRUE(client_.send_register(server_.now));
    run(milliseconds(100));
    EXPECT_EQ(client_.location(), "/rd/xyz");
    EXPECT_THAT(server_.bodies.back(), HasSubstr("</3303/199>"));
}

TEST_F(ClientTest, ReadsWritesExecutesAndDiscovers) {
    EXPECT_EQ(request(Code::get, "/3303/0/5700").payload, "21.5");
    EXPECT_EQ(request(Code::put, "/1/0/1", "60", 0).code, Code::changed);
    EXPECT_EQ(request(Code::get, "/1/0/1").payload, "60");
    EXPECT_EQ(request(Code::put, "/3/0/0", "no", 0).code, Code::method_not_allowed);
    EXPECT_EQ(request(Code::post, "/3303/0/5605", "0='a'").code, Code::changed);
    EXPECT_EQ(executed_, "0='a'");
    EXPECT_EQ(request(Code::get, "/3303", {}, 40).payload,
              "</3303>,</3303/0>,</3303/0/5605>,</3303/0/5700>,</3303/0/5701>");
    EXPECT_EQ(request(Code::get, "/77").code, Code::not_found);
}

TEST_F(ClientTest, MovesLargeValuesBlockWiseBothWays) {
    const AnswerSeen read = request(Code::get, "/16/0/0/0");
    EXPECT_EQ(read.payload, std::string(2'000, 'x'));
    EXPECT_EQ(request(Code::put, "/16/0/0/0", std::string(3'000, 'y'), 0).code, Code::changed);
    EXPECT_EQ(request(Code::get, "/16/0/0/0").payload, std::string(3'000, 'y'));
}

TEST_F(ClientTest, ReadsComposites) {
    const std::string paths = R"([{"n":"/3/0/0"},{"n":"/3303/0/5700"},{"n":"/99/0/1"}])";
    const AnswerSeen answer = request(Code::fetch, "", paths, 110);
    ASSERT_EQ(answer.code, Code::content);
    const auto records = lwm2m::decode(*lwm2m::content_format_from(*answer.format), as_bytes(answer.payload), {});
    ASSERT_TRUE(records.has_value());
    EXPECT_EQ(records->size(), 2U) << "what does not exist is left out";
}

TEST_F(ClientTest, NotifiesChangesWithinPminAndPmax) {
    EXPECT_EQ(request(Code::put, "/3303/0/5700", {}, {}, {}, {"pmin=5", "pmax=30"}).code, Code::changed);
    EXPECT_TRUE(request(Code::get, "/3303/0/5700", {}, {}, 0).observe);
    client_.set(Path{3303, 0, 5700}, 22.0, server_.now);
    client_.set(Path{3303, 0, 5700}, 23.0, server_.now);
    run(seconds(1));
    EXPECT_TRUE(server_.notified.empty()) << "pmin";
    run(seconds(5));
    EXPECT_THAT(server_.notified, ::testing::ElementsAre("23"));
    run(seconds(61));
    EXPECT_EQ(server_.notified.size(), 3U) << "pmax";
}

TEST_F(ClientTest, EndsAnObservationByResetAndByCancel) {
    request(Code::get, "/3303/0/5700", {}, {}, 0);
    request(Code::get, "/3/0/0", {}, {}, 0, {}, 6);
    EXPECT_EQ(client_.observations(), 2U);
    request(Code::get, "/3/0/0", {}, {}, 1, {}, 6);
    EXPECT_EQ(client_.observations(), 1U);
    server_.refuse_notifications = true;
    client_.set(Path{3303, 0, 5700}, 30.0, server_.now);
    run(seconds(5));
    EXPECT_EQ(client_.observations(), 0U);
}

TEST_F(ClientTest, SendsValues) {
    ASSERT_TRUE(client_.send_register(server_.now));
    run(milliseconds(10));
    const lwm2m::Record record{Path{3303, 0, 5700}, 19.25, std::nullopt};
    ASSERT_TRUE(client_.send_data(std::span(&record, 1), server_.now));
    run(milliseconds(10));
    EXPECT_EQ(server_.paths.back(), "/dp");
    EXPECT_EQ(last_code_, Code::changed);
}

TEST_F(ClientTest, GetsThroughALossyNetwork) {
    std::mt19937 random(3);
    lose_ = [&] { return random() % 100 < 30; };
    ASSERT_TRUE(client_.send_register(server_.now));
    run(seconds(100));
    EXPECT_EQ(client_.location(), "/rd/xyz");
}

}  // namespace
}  // namespace lanyard::device
