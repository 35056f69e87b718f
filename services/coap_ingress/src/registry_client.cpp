#include "registry_client.hpp"

#include <utility>

#include "rpc/channel_pool.hpp"
#include "runtime/clock.hpp"

namespace lanyard::coap_ingress {
namespace {

// How long commands are taken while the first stream opens or a broken one is replaced; afterwards devices get 5.03
// at once.
constexpr Duration kBridge = std::chrono::seconds(3);
// At most one line about failed attempts in that time.
constexpr Duration kFailureLog = std::chrono::seconds(30);

}  // namespace

class RegistryClient::Port final : public RegistryPort {
  public:
    Port(RegistryClient& client, std::uint32_t shard) : client_(client), shard_(shard) {}
    bool send(internal::v1::RegistrationCommand&& command) override { return client_.send(shard_, std::move(command)); }
    void flush() override { client_.flush(); }
    std::uint32_t node() const override { return client_.node_.load(std::memory_order_relaxed); }

  private:
    RegistryClient& client_;
    std::uint32_t shard_;
};

RegistryClient::RegistryClient(const RegistryConfig& config, std::uint32_t shards, const telemetry::Logger& log,
                               runtime::HealthBoard::Dependency health, Deliver deliver)
    : config_(config),
      log_(log),
      health_(health),
      deliver_(std::move(deliver)),
      failures_(kFailureLog),
      down_since_(runtime::steady_now()) {
    for (std::uint32_t i = 0; i < shards; ++i) ports_.push_back(std::make_unique<Port>(*this, i));
}

RegistryPort& RegistryClient::port(std::uint32_t shard) {
    return *ports_[shard];
}

RegistryClient::~RegistryClient() {
    stop(std::chrono::milliseconds(0));
}

void RegistryClient::start(const std::string& instance, const std::string& downlink_address) {
    instance_ = instance;
    downlink_address_ = downlink_address;
    for (const std::string& address : config_.addresses) {
        stubs_.push_back(internal::v1::RegistrationService::NewStub(rpc::make_channel(address)));
    }
    health_.down("connecting to " + config_.addresses.front());
    rpc::BatchStreamConfig stream;
    stream.queue_max = config_.pending_max * ports_.size();  // what send() takes, the queue takes
    const std::lock_guard lock(mutex_);                      // handler calls wait until the stream is known
    stream_ = std::make_unique<Stream>([this](auto* context, auto* reactor) { open(context, reactor); }, stream, *this);
}

void RegistryClient::stop(std::chrono::milliseconds grace) {
    std::unique_ptr<Stream> stream;
    {
        const std::lock_guard lock(mutex_);
        connected_ = false;
        down_since_.reset();
        stream = std::move(stream_);
    }
    if (stream) stream->stop(grace);
}

void RegistryClient::open(grpc::ClientContext* context, Stream::Reactor* reactor) {
    stubs_[replica_.load() % stubs_.size()]->async()->Exchange(context, reactor);
}

bool RegistryClient::send(std::uint32_t shard, internal::v1::RegistrationCommand&& command) {
    const SteadyTime now = runtime::steady_now();
    const std::lock_guard lock(mutex_);
    const bool bridged = down_since_ && now - *down_since_ < kBridge;
    if (!connected_ && !bridged) return false;
    drop_expired(now);
    if (outstanding_.size() >= config_.pending_max * ports_.size()) return false;
    const std::uint64_t id = next_id_++;
    const std::uint64_t local_id = command.id();
    command.set_id(id);
    outstanding_.try_emplace(id, Outstanding{shard, local_id, command.SerializeAsString()});
    deadlines_.push_back({now + config_.deadline, id});
    if (connected_) unsent_.push_back(std::move(command));
    return true;
}

void RegistryClient::flush() {
    const std::lock_guard lock(mutex_);
    if (!unsent_.empty() && stream_ != nullptr) send_unsent();
}

// Under the mutex. A stream that refuses them has just broken, and they go with the next one; or its peer has read
// nothing for so long that those before them are past their deadline, and they will be too.
void RegistryClient::send_unsent() {
    (void)stream_->send_all(unsent_);
    unsent_.clear();
}

// Under the mutex: everything that is outstanding, in the order in which it came.
std::size_t RegistryClient::send_again() {
    unsent_.clear();
    for (const Deadline& deadline : deadlines_) {
        const Outstanding* entry = outstanding_.find(deadline.id);
        internal::v1::RegistrationCommand command;
        if (entry != nullptr && command.ParseFromString(entry->command)) unsent_.push_back(std::move(command));
    }
    const std::size_t count = unsent_.size();
    send_unsent();
    return count;
}

void RegistryClient::drop_expired(SteadyTime now) {
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        outstanding_.erase(deadlines_.front().id);
        deadlines_.pop_front();
    }
}

void RegistryClient::drop_answered() {
    while (!deadlines_.empty() && !outstanding_.contains(deadlines_.front().id)) deadlines_.pop_front();
}

void RegistryClient::on_batch(internal::v1::RegistrationResultBatch& batch) {
    if (batch.has_welcome()) node_.store(batch.welcome().node(), std::memory_order_relaxed);
    std::vector<Delivery> deliveries(ports_.size());
    {
        const std::lock_guard lock(mutex_);
        for (auto& result : *batch.mutable_results()) {
            const std::uint64_t id = result.id();
            const Outstanding* found = outstanding_.find(id);
            if (found == nullptr) continue;
            result.set_id(found->local_id);
            deliveries[found->shard].results.push_back(std::move(result));
            outstanding_.erase(id);
        }
        drop_answered();
    }
    for (std::uint32_t shard = 0; shard < deliveries.size(); ++shard) {
        Delivery& delivery = deliveries[shard];
        delivery.shard = shard;
        delivery.fenced.assign(batch.fenced().begin(), batch.fenced().end());
        if (!delivery.results.empty() || !delivery.fenced.empty()) deliver_(std::move(delivery));
    }
}

void RegistryClient::on_ready(internal::v1::RegistrationBatch& first) {
    auto& hello = *first.mutable_hello();
    hello.set_instance(instance_);
    hello.set_downlink_address(downlink_address_);
    hello.set_node(node_.load(std::memory_order_relaxed));
    std::size_t repeated = 0;
    std::string address;
    {
        const std::lock_guard lock(mutex_);
        if (stream_ == nullptr) return;
        drop_expired(runtime::steady_now());
        repeated = send_again();
        connected_ = was_connected_ = true;
        down_since_.reset();
        address = config_.addresses[replica_.load() % config_.addresses.size()];
    }
    health_.ok();
    log_.info("registry connected", {{"address", address}, {"commands_repeated", repeated}});
}

void RegistryClient::on_down(const Error& error, std::vector<Stream::OutItem> unsent) {
    static_cast<void>(unsent);  // outstanding, like our own
    bool lost = false;
    bool was_connected = false;
    std::string address;
    std::string next;
    {
        const std::lock_guard lock(mutex_);
        if (stream_ == nullptr) return;  // stopping
        lost = std::exchange(connected_, false);
        unsent_.clear();
        was_connected = was_connected_;
        if (lost) down_since_ = runtime::steady_now();
        const std::size_t tried = replica_.fetch_add(1);
        address = config_.addresses[tried % config_.addresses.size()];
        next = config_.addresses[(tried + 1) % config_.addresses.size()];
    }
    const std::string detail = address + ": " + error.message + "; trying " + next;
    // A stream that worked once may come back soon, and much goes on without it.
    health_.set(was_connected ? runtime::HealthState::degraded : runtime::HealthState::down, detail);
    if (lost) {
        log_.warn("registry lost", {{"address", address}, {"reason", error.message}, {"next", next}});
    } else if (const auto suppressed = failures_.admit("connect", runtime::steady_now())) {
        log_.warn("registry not reached",
                  {{"address", address}, {"reason", error.message}, {"next", next}, {"suppressed", *suppressed}});
    }
}

}  // namespace lanyard::coap_ingress
