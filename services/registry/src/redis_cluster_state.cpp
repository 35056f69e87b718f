// The part of RedisDeviceStore that serves replicas and ingress processes: outbox, leases, nodes, observed specs,
// counts.
#include <algorithm>

#include "record_codec.hpp"
#include "redis_device_store.hpp"
#include "redis_reply.hpp"
#include "redis_script_parts.hpp"

namespace lanyard::registry {
namespace {

using std::to_string;

constexpr std::string_view kReplicas = "reg:replicas";
constexpr std::string_view kNodes = "reg:nodes";
constexpr std::string_view kObserved = "reg:observed";
constexpr std::string_view kChanged = "reg:changed";

std::string outbox_key(std::uint32_t partition) {
    return "reg:" + partition_tag(partition) + ":out";
}
std::string lease_key(std::uint32_t partition) {
    return "reg:" + partition_tag(partition) + ":lease";
}

OutboxPage to_outbox_page(std::uint32_t partition, const redis::Reply& reply, std::size_t max, bool all) {
    std::vector<std::string_view> elements;
    elements.reserve(reply.items().size());
    for (const redis::Reply& item : reply.items()) elements.push_back(item.text());
    OutboxEvents events = decode_outbox(partition, elements, max, all);
    return {std::move(events.entries), events.elements, elements.size(), events.unreadable};
}

Result<Node> to_node(std::uint32_t number, const redis::Reply& reply) {
    const std::string_view text = reply.text();
    const std::size_t split = text.find('\n');
    if (reply.is_nil() || split == std::string_view::npos) {
        return make_error(Errc::not_found, "ingress node " + to_string(number) + " is not known");
    }
    return Node{number, std::string(text.substr(0, split)), std::string(text.substr(split + 1))};
}

std::int64_t parse_count(const redis::Reply& reply) {
    return reply.text().empty() ? 0 : std::strtoll(std::string(reply.text()).c_str(), nullptr, 10);
}

Result<Heartbeat> to_heartbeat(const redis::Reply& reply) {
    if (reply.items().empty()) return make_error(Errc::internal, "a script gave a short answer");
    Heartbeat out;
    out.was_known = reply.items()[0].integer() == 0;
    for (std::size_t i = 1; i < reply.items().size(); ++i) out.live.emplace_back(reply.items()[i].text());
    std::sort(out.live.begin(), out.live.end());
    return out;
}

Result<std::vector<std::uint32_t>> to_partitions(const redis::Reply& reply) {
    std::vector<std::uint32_t> out;
    for (const redis::Reply& item : reply.items()) {
        const auto partition = parse_count(item);
        if (partition >= 0 && partition < identity::kPartitions) out.push_back(static_cast<std::uint32_t>(partition));
    }
    return out;
}

Result<void> ignore_reply(const redis::Reply&) {
    return {};
}

}  // namespace

// The length is asked for only when there may be more than what was read.
void RedisDeviceStore::outbox_read(std::uint32_t partition, std::size_t max, Done<OutboxPage> done) {
    const std::string key = outbox_key(partition);
    const std::size_t asked = max + scripts::kOutboxGroupMax;
    client_->command(
        {"LRANGE", key, "0", to_string(asked - 1)},
        [this, key, max, asked, partition, done = std::move(done)](Result<redis::Reply> reply) mutable {
            if (!reply) {
                return executor_([done = std::move(done), error = reply.error()]() mutable { done(std::move(error)); });
            }
            const bool all = reply->items().size() < asked;
            OutboxPage page = to_outbox_page(partition, *reply, max, all);
            if (all) {
                return executor_([done = std::move(done), page = std::move(page)]() mutable { done(std::move(page)); });
            }
            client_->command({"LLEN", key}, deliver(executor_, std::move(done),
                                                    [page = std::move(page)](const redis::Reply& depth) mutable {
                                                        page.depth = static_cast<std::size_t>(depth.integer());
                                                        return Result<OutboxPage>(std::move(page));
                                                    }));
        });
}

void RedisDeviceStore::outbox_trim(std::uint32_t partition, std::string owner, std::size_t count, Done<void> done) {
    client_->eval(scripts_.trim, {lease_key(partition), outbox_key(partition)}, {owner, to_string(count)},
                  deliver(executor_, std::move(done), [](const redis::Reply& reply) -> Result<void> {
                      if (reply.integer() == 1) return {};
                      return make_error(Errc::failed_precondition, "the partition's lease is held by another replica");
                  }));
}

void RedisDeviceStore::take_lease(std::uint32_t partition, std::string owner, std::string former,
                                  Done<std::string> done) {
    client_->eval(scripts_.take_lease, {lease_key(partition)}, {owner, former},
                  deliver(executor_, std::move(done),
                          [](const redis::Reply& reply) -> Result<std::string> { return std::string(reply.text()); }));
}

void RedisDeviceStore::release_lease(std::uint32_t partition, std::string owner, Done<void> done) {
    client_->eval(scripts_.release, {lease_key(partition)}, {owner}, deliver(executor_, std::move(done), ignore_reply));
}

void RedisDeviceStore::heartbeat(std::string replica, std::chrono::milliseconds ttl, Done<Heartbeat> done) {
    client_->eval(scripts_.heartbeat, {kReplicas}, {replica, to_string(ttl.count())},
                  deliver(executor_, std::move(done), to_heartbeat));
}

void RedisDeviceStore::mark_changed(std::vector<std::uint32_t> partitions, Done<void> done) {
    command_on_changed("SADD", partitions, std::move(done));
}

void RedisDeviceStore::clear_changed(std::vector<std::uint32_t> partitions, Done<void> done) {
    command_on_changed("SREM", partitions, std::move(done));
}

void RedisDeviceStore::command_on_changed(std::string_view command, const std::vector<std::uint32_t>& partitions,
                                          Done<void> done) {
    std::vector<std::string> numbers;
    for (const std::uint32_t partition : partitions) numbers.push_back(to_string(partition));
    std::vector<std::string_view> words{command, kChanged};
    words.insert(words.end(), numbers.begin(), numbers.end());
    client_->command(redis::Args(words), deliver(executor_, std::move(done), ignore_reply));
}

void RedisDeviceStore::changed(Done<std::vector<std::uint32_t>> done) {
    client_->command({"SMEMBERS", kChanged}, deliver(executor_, std::move(done), to_partitions));
}

void RedisDeviceStore::retire(std::string replica, Done<void> done) {
    client_->command({"ZREM", kReplicas, replica}, deliver(executor_, std::move(done), ignore_reply));
}

void RedisDeviceStore::register_node(Node node, Done<std::uint32_t> done) {
    client_->eval(scripts_.register_node, {kNodes}, {node.instance, node.address, to_string(node.number)},
                  deliver(executor_, std::move(done), [](const redis::Reply& reply) -> Result<std::uint32_t> {
                      return static_cast<std::uint32_t>(reply.integer());
                  }));
}

void RedisDeviceStore::node(std::uint32_t number, Done<Node> done) {
    client_->command(
        {"HGET", kNodes, to_string(number)},
        deliver(executor_, std::move(done), [number](const redis::Reply& reply) { return to_node(number, reply); }));
}

void RedisDeviceStore::keep_observed(std::uint16_t spec, std::string request, Done<void> done) {
    client_->command({"HSETNX", kObserved, to_string(spec), request},
                     deliver(executor_, std::move(done), ignore_reply));
}

void RedisDeviceStore::observed(std::uint16_t spec, Done<std::string> done) {
    client_->command({"HGET", kObserved, to_string(spec)},
                     deliver(executor_, std::move(done), [spec](const redis::Reply& reply) -> Result<std::string> {
                         if (!reply.is_nil()) return std::string(reply.text());
                         return make_error(Errc::not_found,
                                           "no observation with spec " + to_string(spec) + " is known");
                     }));
}

void RedisDeviceStore::counts(std::uint32_t partition, Done<Counts> done) {
    client_->command({"HMGET", "reg:" + partition_tag(partition) + ":count", "devices", "registered"},
                     deliver(executor_, std::move(done), [](const redis::Reply& reply) -> Result<Counts> {
                         if (reply.items().size() < 2) return make_error(Errc::internal, "HMGET gave a short answer");
                         return Counts{parse_count(reply.items()[0]), parse_count(reply.items()[1])};
                     }));
}

}  // namespace lanyard::registry
