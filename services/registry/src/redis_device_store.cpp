#include "redis_device_store.hpp"

#include <algorithm>
#include <array>

#include "record_codec.hpp"
#include "redis_reply.hpp"
#include "redis_scripts.hpp"

namespace lanyard::registry {
namespace {

using std::to_string;

std::string flag(bool value) {
    return value ? "1" : "0";
}

Done<DeviceRecord> on_loop(const Executor& executor, Done<DeviceRecord> done) {
    return [executor, done = std::move(done)](Result<DeviceRecord> record) mutable {
        executor([done = std::move(done), record = std::move(record)]() mutable { done(std::move(record)); });
    };
}

// On the client's thread.
redis::ReplyCallback answer_record(std::uint32_t partition, Done<DeviceRecord> done) {
    return [partition, done = std::move(done)](Result<redis::Reply> reply) mutable {
        done(reply ? to_record(partition, *reply) : Result<DeviceRecord>(reply.error()));
    };
}

constexpr auto kNoTime = "0";
constexpr int kModifyAttempts = 4;
constexpr std::chrono::milliseconds kStopGrace{200};

}  // namespace

Result<std::unique_ptr<DeviceStore>> RedisDeviceStore::start(redis::Config config, Executor executor,
                                                             const StoreLimits& limits) {
    auto client = redis::Client::start(std::move(config));
    if (!client) return client.error();
    return std::unique_ptr<DeviceStore>(new RedisDeviceStore(std::move(*client), std::move(executor), limits));
}

RedisDeviceStore::RedisDeviceStore(std::unique_ptr<redis::Client> client, Executor executor, const StoreLimits& limits)
    : executor_(std::move(executor)),
      client_(std::move(client)),
      registers_(*client_, client_->script(scripts::register_devices(limits)), executor_) {
    scripts_.update = client_->script(scripts::update(limits));
    scripts_.deregister = client_->script(scripts::deregister());
    scripts_.adopt = client_->script(scripts::adopt());
    scripts_.expire = client_->script(scripts::expire());
    scripts_.expire_due = client_->script(scripts::expire_due());
    scripts_.get_by_key = client_->script(scripts::get_by_key());
    scripts_.get_by_sequence = client_->script(scripts::get_by_sequence());
    scripts_.list = client_->script(scripts::list());
    scripts_.create = client_->script(scripts::create(limits));
    scripts_.modify = client_->script(scripts::modify(limits));
    scripts_.remove = client_->script(scripts::remove());
    scripts_.trim = client_->script(scripts::trim());
    scripts_.take_lease = client_->script(scripts::take_lease());
    scripts_.release = client_->script(scripts::release());
    scripts_.heartbeat = client_->script(scripts::heartbeat());
    scripts_.register_node = client_->script(scripts::register_node());
}

RedisDeviceStore::~RedisDeviceStore() {
    stop();
}

void RedisDeviceStore::stop() {
    // What a drain gave back last should arrive.
    client_->stop(kStopGrace);
}

Result<void> RedisDeviceStore::available() const {
    if (client_->state() == redis::State::ready) return {};
    return make_error(Errc::unavailable, "Redis: " + std::string(redis::to_string(client_->state())));
}

void RedisDeviceStore::register_device(RegisterCommand command, Done<Registered> done) {
    registers_.add(std::move(command), std::move(done));
}

void RedisDeviceStore::update(UpdateCommand command, Done<Change> done) {
    const std::uint32_t partition = command.device.partition();
    const std::string tag = partition_tag(partition);
    client_->eval(scripts_.update, {sequence_key(tag)},
                  {tag, to_string(command.now_ms), to_string(command.device.sequence()), to_string(command.generation),
                   to_string(command.epoch), command.lifetime_s ? to_string(*command.lifetime_s) : "",
                   command.queue_mode ? flag(*command.queue_mode) : "", encode_registration_delta(command),
                   flag(command.changes_anything())},
                  deliver(executor_, std::move(done),
                          [partition](const redis::Reply& reply) { return to_change(partition, reply); }));
}

void RedisDeviceStore::deregister(DeregisterCommand command, Done<Change> done) {
    const std::uint32_t partition = command.device.partition();
    const std::string tag = partition_tag(partition);
    UpdateCommand required;
    if (!command.required_address.empty()) required.remote_address = command.required_address;
    client_->eval(scripts_.deregister, {sequence_key(tag)},
                  {tag, to_string(command.now_ms), to_string(command.device.sequence()), to_string(command.generation),
                   command.tenant, encode_registration_delta(required)},
                  deliver(executor_, std::move(done),
                          [partition](const redis::Reply& reply) { return to_change(partition, reply); }));
}

void RedisDeviceStore::adopt(AdoptCommand command, Done<Change> done) {
    const std::uint32_t partition = command.device.partition();
    const std::string tag = partition_tag(partition);
    UpdateCommand delta;
    delta.remote_address = command.remote_address;
    client_->eval(scripts_.adopt, {sequence_key(tag)},
                  {tag, to_string(command.now_ms), to_string(command.device.sequence()), to_string(command.generation),
                   to_string(command.node), to_string(command.shard), encode_registration_delta(delta), command.tenant,
                   flag(command.same_address)},
                  deliver(executor_, std::move(done),
                          [partition](const redis::Reply& reply) { return to_change(partition, reply); }));
}

void RedisDeviceStore::touch(std::vector<TouchEntry> entries, Done<void> done) {
    std::array<std::vector<TouchEntry>, identity::kPartitions> by_partition;
    for (const TouchEntry& entry : entries) by_partition[entry.device.partition()].push_back(entry);
    redis::Batch batch;
    for (std::uint32_t partition = 0; partition < identity::kPartitions; ++partition) {
        if (by_partition[partition].empty()) continue;
        std::vector<std::string> words{"BITFIELD", "reg:" + partition_tag(partition) + ":due"};
        for (const TouchEntry& entry : by_partition[partition]) {
            const std::size_t place = std::size_t{entry.device.sequence()} * 2;
            words.insert(words.end(), {"SET", "u32", "#" + to_string(place), to_string(entry.pledge_s)});
            words.insert(words.end(), {"SET", "u32", "#" + to_string(place + 1), to_string(entry.last_seen_s)});
        }
        const std::vector<std::string_view> args(words.begin(), words.end());
        batch.add(redis::Args(args));
    }
    client_->submit(std::move(batch),
                    [executor = executor_, done = std::move(done)](std::vector<Result<redis::Reply>> replies) mutable {
                        Result<void> result;
                        for (const auto& reply : replies) {
                            if (!reply) result = reply.error();
                        }
                        executor([done = std::move(done), result]() mutable { done(std::move(result)); });
                    });
}

void RedisDeviceStore::expire(std::vector<ExpireEntry> entries, UnixMillis now_ms, Done<std::size_t> done) {
    std::array<std::vector<std::string>, identity::kPartitions> by_partition;
    for (const ExpireEntry& entry : entries) {
        auto& args = by_partition[entry.device.partition()];
        if (args.empty()) args = {partition_tag(entry.device.partition()), to_string(now_ms)};
        args.insert(args.end(), {to_string(entry.device.sequence()), to_string(entry.epoch)});
    }
    redis::Batch batch;
    for (const auto& args : by_partition) {
        if (args.empty()) continue;
        const std::string key = sequence_key(args[0]);
        const std::string_view keys[] = {key};
        const std::vector<std::string_view> views(args.begin(), args.end());
        batch.eval(scripts_.expire, redis::Args(keys), redis::Args(views));
    }
    client_->submit(std::move(batch),
                    [executor = executor_, done = std::move(done)](std::vector<Result<redis::Reply>> replies) mutable {
                        Result<std::size_t> result = std::size_t{0};
                        for (const auto& reply : replies) {
                            if (!reply) {
                                result = reply.error();
                                break;
                            }
                            *result += static_cast<std::size_t>(reply->integer());
                        }
                        executor([done = std::move(done), result]() mutable { done(std::move(result)); });
                    });
}

void RedisDeviceStore::expire_due(std::uint32_t partition, UnixMillis now_ms, std::size_t max,
                                  Done<ExpiryProgress> done) {
    const std::string tag = partition_tag(partition);
    client_->eval(scripts_.expire_due, {"reg:" + tag + ":cur"}, {tag, to_string(now_ms), to_string(max)},
                  deliver(executor_, std::move(done), [](const redis::Reply& reply) -> Result<ExpiryProgress> {
                      if (reply.items().size() < 3) return make_error(Errc::internal, "a script gave a short answer");
                      return ExpiryProgress{static_cast<std::size_t>(reply.items()[0].integer()),
                                            reply.items()[1].integer() == 1,
                                            std::chrono::seconds(reply.items()[2].integer())};
                  }));
}

void RedisDeviceStore::get(identity::DeviceName name, Done<DeviceRecord> done) {
    find(std::move(name), on_loop(executor_, std::move(done)));
}

void RedisDeviceStore::get(identity::DeviceNumber number, Done<DeviceRecord> done) {
    find(number, on_loop(executor_, std::move(done)));
}

void RedisDeviceStore::find(identity::DeviceName name, Done<DeviceRecord> done) {
    const std::string key = name.key();
    const std::uint32_t partition = identity::partition_of(key);
    client_->eval(scripts_.get_by_key, {index_key(key)}, {partition_tag(partition), key},
                  answer_record(partition, std::move(done)));
}

void RedisDeviceStore::find(identity::DeviceNumber number, Done<DeviceRecord> done) {
    const std::uint32_t partition = number.partition();
    const std::string tag = partition_tag(partition);
    client_->eval(scripts_.get_by_sequence, {sequence_key(tag)}, {tag, to_string(number.sequence())},
                  answer_record(partition, std::move(done)));
}

void RedisDeviceStore::get_many(std::vector<identity::DeviceName> names,
                                Done<std::vector<std::optional<DeviceRecord>>> done) {
    using Records = std::vector<std::optional<DeviceRecord>>;
    redis::Batch batch;
    std::vector<std::uint32_t> partitions;
    for (const identity::DeviceName& name : names) {
        const std::string key = name.key();
        partitions.push_back(identity::partition_of(key));
        batch.eval(scripts_.get_by_key, {index_key(key)}, {partition_tag(partitions.back()), key});
    }
    client_->submit(
        std::move(batch), [executor = executor_, done = std::move(done),
                           partitions = std::move(partitions)](std::vector<Result<redis::Reply>> replies) mutable {
            Result<Records> result = Records();
            for (std::size_t i = 0; i < replies.size(); ++i) {
                auto record = replies[i] ? to_record(partitions[i], *replies[i]) : replies[i].error();
                if (!record && record.error().code != Errc::not_found) {
                    result = record.error();
                    break;
                }
                result->push_back(record ? std::optional(std::move(*record)) : std::nullopt);
            }
            executor([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
        });
}

void RedisDeviceStore::list(std::uint32_t partition, std::uint32_t after, std::size_t max, Done<DevicePage> done) {
    const std::string tag = partition_tag(partition);
    client_->eval(scripts_.list, {sequence_key(tag)}, {tag, kNoTime, to_string(after), to_string(max)},
                  deliver(executor_, std::move(done),
                          [partition](const redis::Reply& reply) { return to_page(partition, reply); }));
}

void RedisDeviceStore::create(CreateCommand command, Done<DeviceRecord> done) {
    const std::string key = command.name.key();
    const std::uint32_t partition = identity::partition_of(key);
    const std::string tag = partition_tag(partition);
    client_->eval(scripts_.create, {index_key(key), sequence_key(tag)},
                  {tag, to_string(command.now_ms), key, flag(command.enabled), encode_profile(command.profile)},
                  deliver(executor_, std::move(done),
                          [partition](const redis::Reply& reply) { return to_record(partition, reply); }));
}

void RedisDeviceStore::modify(ModifyCommand command, Done<DeviceRecord> done) {
    modify_once(std::make_shared<const ModifyCommand>(std::move(command)), std::move(done), kModifyAttempts);
}

// Reads, merges, writes if the revision is still the one that was read.
void RedisDeviceStore::modify_once(std::shared_ptr<const ModifyCommand> command, Done<DeviceRecord> done,
                                   int attempts_left) {
    get(command->name, [this, command, done = std::move(done), attempts_left](Result<DeviceRecord> current) mutable {
        if (!current) return done(std::move(current));
        if (command->revision && *command->revision != current->revision) {
            return done(make_error(Errc::aborted, "the device was changed by someone else; read it again"));
        }
        write_modified(command, *current, std::move(done), attempts_left);
    });
}

void RedisDeviceStore::write_modified(std::shared_ptr<const ModifyCommand> command, const DeviceRecord& current,
                                      Done<DeviceRecord> done, int attempts_left) {
    const std::string key = command->name.key();
    const std::uint32_t partition = identity::partition_of(key);
    const DeviceProfile profile{command->display_name.value_or(current.profile.display_name),
                                command->labels.value_or(current.profile.labels)};
    auto written = [this, command, done = std::move(done), attempts_left](Result<DeviceRecord> after) mutable {
        const bool lost_race = !after && after.error().code == Errc::aborted;
        if (!lost_race || command->revision || attempts_left <= 1) return done(std::move(after));
        modify_once(command, std::move(done), attempts_left - 1);
    };
    client_->eval(scripts_.modify, {index_key(key)},
                  {partition_tag(partition), to_string(command->now_ms), key, to_string(current.revision),
                   flag(command->enabled.value_or(current.enabled)), encode_profile(profile)},
                  deliver(executor_, Done<DeviceRecord>(std::move(written)),
                          [partition](const redis::Reply& reply) { return to_record(partition, reply); }));
}

void RedisDeviceStore::remove(RemoveCommand command, Done<DeviceRecord> done) {
    const std::string key = command.name.key();
    const std::uint32_t partition = identity::partition_of(key);
    client_->eval(scripts_.remove, {index_key(key)},
                  {partition_tag(partition), to_string(command.now_ms), key,
                   command.revision ? to_string(*command.revision) : ""},
                  deliver(executor_, std::move(done),
                          [partition](const redis::Reply& reply) { return to_record(partition, reply); }));
}

}  // namespace lanyard::registry
