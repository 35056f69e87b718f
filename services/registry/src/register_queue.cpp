#include "register_queue.hpp"

#include <utility>

#include "base/bytes.hpp"
#include "record_codec.hpp"
#include "redis_reply.hpp"
#include "redis_scripts.hpp"

namespace lanyard::registry {
namespace {

// Of one call, so that Redis is not kept from others for longer than about a millisecond.
constexpr std::size_t kCallDevices = 128;
constexpr std::size_t kCallBytes = 256 * 1024;

// What the script reads about one device: '>BI8I4I4I2BI2', key, StoredRegistration.
std::string pack_register(const RegisterCommand& command, std::string_view key) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>((command.queue_mode ? 1 : 0) + (command.auto_create ? 2 : 0)));
    out.u64(static_cast<std::uint64_t>(command.now_ms));
    out.u32(command.lifetime_s);
    out.u32(command.node);
    out.u16(command.shard);
    out.u8(index_hash(key));
    out.u16(static_cast<std::uint16_t>(key.size()));
    out.put(key);
    out.put(encode_registration(command.registration));
    return to_string(bytes);
}

// '>BI4I4I4I4BI4I2' for each device.
Result<std::vector<Result<Registered>>> unpack_answers(std::uint32_t partition, std::string_view text,
                                                       std::size_t count) {
    constexpr std::size_t kAnswerBytes = 24;
    if (text.size() != count * kAnswerBytes) return make_error(Errc::internal, "a script gave a short answer");
    std::vector<Result<Registered>> out;
    out.reserve(count);
    ByteReader in(as_bytes(text));
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint8_t status = in.u8();
        Registered registered;
        registered.device = identity::DeviceNumber::from(in.u32(), partition);
        registered.generation = in.u32();
        registered.epoch = in.u32();
        registered.pledge_s = in.u32();
        registered.was_registered = in.u8() == 1;
        registered.former_node = in.u32();
        registered.former_shard = in.u16();
        const auto checked = check_status(status);
        out.push_back(checked ? Result<Registered>(registered) : Result<Registered>(checked.error()));
    }
    return out;
}

}  // namespace

RegisterQueue::RegisterQueue(redis::Client& client, redis::Script script, Executor executor)
    : client_(client),
      script_(std::move(script)),
      executor_(std::move(executor)),
      alive_(std::make_shared<RegisterQueue*>(this)) {}

RegisterQueue::~RegisterQueue() {
    *alive_ = nullptr;
}

void RegisterQueue::add(RegisterCommand command, Done<Registered> done) {
    const std::string key = command.name.key();
    const std::uint32_t number = identity::partition_of(key);
    command.registration.register_ms = command.now_ms;
    Partition& partition = partitions_[number];
    partition.waiting.push_back({pack_register(command, key), std::move(done)});
    if (partition.busy || std::exchange(partition.listed, true)) return;
    ready_.push_back(number);
    // After the task that runs now, which may bring more for the same partitions.
    if (ready_.size() == 1) {
        executor_([alive = alive_] {
            if (*alive) (*alive)->flush();
        });
    }
}

void RegisterQueue::flush() {
    for (const std::uint32_t number : std::exchange(ready_, {})) {
        partitions_[number].listed = false;
        call(number);
    }
}

void RegisterQueue::call(std::uint32_t number) {
    Partition& partition = partitions_[number];
    if (partition.busy || partition.waiting.empty()) return;
    partition.busy = true;
    std::vector<std::string> args{partition_tag(number)};
    std::size_t bytes = 0;
    while (!partition.waiting.empty() && args.size() <= kCallDevices && bytes < kCallBytes) {
        Waiting& next = partition.waiting.front();
        bytes += next.packed.size();
        args.push_back(std::move(next.packed));
        partition.called.push_back(std::move(next.done));
        partition.waiting.pop_front();
    }
    const std::string seq = sequence_key(args[0]);
    const std::string_view keys[] = {seq};
    const std::vector<std::string_view> views(args.begin(), args.end());
    client_.eval(script_, redis::Args(keys), redis::Args(views),
                 [executor = executor_, alive = alive_, number, count = views.size() - 1](Result<redis::Reply> reply) {
                     Answers answers = reply ? unpack_answers(number, reply->text(), count) : Answers(reply.error());
                     executor([alive, number, answers = std::move(answers)]() mutable {
                         if (*alive) (*alive)->on_answers(number, std::move(answers));
                     });
                 });
}

void RegisterQueue::on_answers(std::uint32_t number, Answers answers) {
    Partition& partition = partitions_[number];
    auto called = std::exchange(partition.called, {});
    partition.busy = false;
    if (answers) {
        for (std::size_t i = 0; i < called.size(); ++i) called[i](std::move((*answers)[i]));
        return call(number);
    }
    for (Done<Registered>& done : called) done(answers.error());
    for (Waiting& waiting : std::exchange(partition.waiting, {})) waiting.done(answers.error());
}

}  // namespace lanyard::registry
