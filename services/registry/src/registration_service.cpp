#include "registration_service.hpp"

#include <atomic>
#include <vector>

#include "rpc/batch_stream_server.hpp"

namespace lanyard::registry {

using internal::v1::RegistrationBatch;
using internal::v1::RegistrationCommand;
using internal::v1::RegistrationResult;
using internal::v1::RegistrationResultBatch;
using Server = rpc::BatchStreamServer<RegistrationBatch, RegistrationResultBatch>;

// One ingress process. on_* come on gRPC's threads; the rest is loop only.
class RegistrationService::Stream final : public Server::Handler, public std::enable_shared_from_this<Stream> {
  public:
    // Commands of one stream in hand; then reading stops until half of them are answered.
    static constexpr std::size_t kInHandMax = 16384;

    explicit Stream(RegistrationService& service) : service_(service) {}

    void on_open(const std::shared_ptr<Server>& stream) override {
        server_ = stream;
        service_.executor_([self = shared_from_this()] { self->opened(); });
    }
    bool on_batch(RegistrationBatch& batch) override {
        const auto count = static_cast<std::size_t>(batch.commands_size());
        const std::size_t in_hand = in_hand_.fetch_add(count) + count;
        service_.executor_([self = shared_from_this(), taken = std::move(batch)] { self->take(taken); });
        if (in_hand <= kInHandMax) return true;
        stopped_ = true;
        return in_hand_ <= kInHandMax / 2 && stopped_.exchange(false);
    }
    void on_client_done() override {
        service_.executor_([self = shared_from_this()] {
            self->client_done_ = true;
            self->finish_if_done();
        });
    }
    void on_closed() override {
        service_.executor_([self = shared_from_this()] { self->closed(); });
    }

    // What is answered in one turn of the loop travels together.
    void send(RegistrationResult&& result) {
        results_.push_back(std::move(result));
        if (results_.size() == 1) {
            service_.executor_([self = shared_from_this()] { self->send_results(); });
        }
    }
    // A welcome or a fence, before the results that wait.
    void send_message(RegistrationResultBatch&& message) {
        if (const auto server = server_.lock()) (void)server->send_message(std::move(message));
    }
    void finish(grpc::Status status) {
        send_results();
        if (const auto server = server_.lock()) server->finish(std::move(status));
    }

  private:
    void send_results() {
        if (const auto server = server_.lock(); server && !results_.empty()) (void)server->send_all(results_);
        results_.clear();
    }
    void opened() {
        service_.streams_[this] = weak_from_this();
        if (service_.finishing_) finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining"));
    }
    void closed() {
        service_.streams_.erase(this);
        const auto mine = service_.nodes_.find(node_);
        if (mine == service_.nodes_.end() || mine->second.lock().get() != this) return;
        service_.nodes_.erase(mine);
        service_.log_.info("ingress disconnected", {{"node", node_}});
    }

    void take(const RegistrationBatch& batch) {
        if (batch.has_hello() && node_ == 0) welcome(batch.hello());
        for (const RegistrationCommand& command : batch.commands()) {
            if (node_ == 0) {
                early_.push_back(command);
            } else {
                handle(command);
            }
        }
    }

    // Commands wait until the node has its number, which Register and Adopt store as the owner.
    void welcome(const internal::v1::NodeHello& hello) {
        const Node node{hello.node(), hello.instance(), hello.downlink_address()};
        service_.store_.register_node(node, [self = shared_from_this(), node](Result<std::uint32_t> number) {
            if (!number) {
                self->service_.log_.warn("ingress not welcomed", {{"reason", number.error().message}});
                return self->finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, number.error().message));
            }
            self->welcomed(node, *number);
        });
    }
    void welcomed(const Node& node, std::uint32_t number) {
        node_ = number;
        service_.nodes_[number] = weak_from_this();
        service_.log_.info("ingress connected",
                           {{"node", number}, {"instance", node.instance}, {"downlink", node.address}});
        RegistrationResultBatch out;
        out.mutable_welcome()->set_node(number);
        send_message(std::move(out));
        for (const RegistrationCommand& command : early_) handle(command);
        early_.clear();
    }

    void handle(const RegistrationCommand& command) {
        service_.handler_->handle(node_, command, [self = shared_from_this()](RegistrationResult&& result) {
            self->send(std::move(result));
            const std::size_t left = self->in_hand_.fetch_sub(1) - 1;
            if (left <= kInHandMax / 2 && self->stopped_.exchange(false)) {
                if (const auto server = self->server_.lock()) server->resume();
            }
            self->finish_if_done();
        });
    }
    void finish_if_done() {
        if (client_done_ && in_hand_ == 0) finish(grpc::Status::OK);
    }

    RegistrationService& service_;
    std::weak_ptr<Server> server_;
    std::atomic<std::size_t> in_hand_{0};
    std::atomic<bool> stopped_{false};
    std::uint32_t node_ = 0;
    bool client_done_ = false;
    std::vector<RegistrationCommand> early_;
    std::vector<RegistrationResult> results_;  // of this turn of the loop
};

RegistrationService::RegistrationService(DeviceStore& store, Executor executor, const telemetry::Logger& log)
    : store_(store), executor_(std::move(executor)), log_(log) {}

RegistrationService::~RegistrationService() = default;

grpc::ServerBidiReactor<RegistrationBatch, RegistrationResultBatch>* RegistrationService::Exchange(
    grpc::CallbackServerContext* context) {
    // All that is in hand may be answered at once, when the store fails.
    rpc::BatchStreamConfig config;
    config.queue_max = 2 * Stream::kInHandMax;
    return Server::create(context, config, std::make_shared<Stream>(*this))->reactor();
}

bool RegistrationService::fence(std::uint32_t node, const internal::v1::Fenced& fenced) {
    const auto found = nodes_.find(node);
    const auto stream = found == nodes_.end() ? nullptr : found->second.lock();
    if (!stream) return false;
    RegistrationResultBatch message;
    *message.add_fenced() = fenced;
    stream->send_message(std::move(message));
    return true;
}

void RegistrationService::finish_all() {
    finishing_ = true;
    for (const auto& [key, weak] : streams_) {
        if (const auto stream = weak.lock()) stream->finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining"));
    }
}

}  // namespace lanyard::registry
