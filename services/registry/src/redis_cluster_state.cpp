// The part of RedisDeviceStore that serves replicas and ingress processes: outbox, leases, nodes, observed specs,
// counts.
#include <algorithm>

#include "record_codec.hpp"
#include "redis_device_store.hpp"
#include "redis_reply.hpp"

namespace lanyard::registry {
namespace {

using std::to_string;

constexpr std::string_view kReplicas = "reg:replicas";
constexpr std::string_view kNodes = "reg:nodes";
constexpr std::string_view kObserved = "reg:observed";

std::string outbox_key(std::uint32_t partition) {
    return "reg:" + partition_tag(partition) + ":out";
}
std::string lease_key(std::uint32_t partition) {
    return "reg:" + partition_tag(partition) + ":lease";
}

OutboxPage to_outbox_page(std::uint32_t partition, const redis::Reply& entries, const redis::Reply& depth) {
    OutboxPage page;
    page.read = entries.items().size();
    page.depth = static_cast<std::size_t>(depth.integer());
    for (const redis::Reply& item : entries.items()) {
        if (auto entry = decode_outbox_entry(partition, item.text())) page.entries.push_back(std::move(*entry));
    }
    return page;
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

Result<void> ignore_reply(const redis::Reply&) {
    return {};
}

}  // namespace

void RedisDeviceStore::outbox_read(std::uint32_t partition, std::size_t max, Done<OutboxPage> done) {
    const std::string key = outbox_key(partition);
    redis::Batch batch;
    batch.add({"LRANGE", key, "0", to_string(max - 1)});
    batch.add({"LLEN", key});
    client_->submit(std::move(batch), [executor = executor_, done = std::move(done),
                                       partition](std::vector<Result<redis::Reply>> replies) mutable {
        Result<OutboxPage> result = OutboxPage();
        if (!replies[0] || !replies[1]) {
            result = replies[0] ? replies[1].error() : replies[0].error();
        } else {
            result = to_outbox_page(partition, *replies[0], *replies[1]);
        }
        executor([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
    });
}

void RedisDeviceStore::outbox_trim(std::uint32_t partition, std::string owner, std::size_t count, Done<void> done) {
    client_->eval(scripts_.trim, {lease_key(partition), outbox_key(partition)}, {owner, to_string(count)},
                  deliver(executor_, std::move(done), [](const redis::Reply& reply) -> Result<void> {
                      if (reply.integer() == 1) return {};
                      return make_error(Errc::failed_precondition, "the partition's lease is held by another replica");
                  }));
}

void RedisDeviceStore::acquire_lease(std::uint32_t partition, std::string owner, std::chrono::milliseconds ttl,
                                     Done<bool> done) {
    client_->eval(scripts_.acquire, {lease_key(partition)}, {owner, to_string(ttl.count())},
                  deliver(executor_, std::move(done),
                          [](const redis::Reply& reply) -> Result<bool> { return reply.integer() == 1; }));
}

void RedisDeviceStore::release_lease(std::uint32_t partition, std::string owner, Done<void> done) {
    client_->eval(scripts_.release, {lease_key(partition)}, {owner}, deliver(executor_, std::move(done), ignore_reply));
}

void RedisDeviceStore::heartbeat(std::string replica, UnixMillis now_ms, std::chrono::milliseconds ttl,
                                 Done<std::vector<std::string>> done) {
    client_->eval(
        scripts_.heartbeat, {kReplicas}, {"", to_string(now_ms), replica, to_string(ttl.count())},
        deliver(executor_, std::move(done), [](const redis::Reply& reply) -> Result<std::vector<std::string>> {
            std::vector<std::string> names;
            for (const redis::Reply& item : reply.items()) names.emplace_back(item.text());
            std::sort(names.begin(), names.end());
            return names;
        }));
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
