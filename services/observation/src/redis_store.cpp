#include "redis_store.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "redis_scripts.hpp"
#include "store_records.hpp"

namespace lanyard::observation {
namespace {

constexpr std::string_view kSpecKey = "obs:spec";
constexpr std::string_view kTemplateKey = "obs:tpl";
constexpr std::string_view kVersionField = "#version";

// Devices that share a hash: few enough that it stays a listpack, so that a device costs no key of its own.
constexpr std::uint32_t kGroup = 32;
// Devices of one script call.
constexpr std::size_t kMergeDevices = 256;

std::string group_key(DeviceNumber device) {
    return "obs:{p" + std::to_string(device.partition()) + "}:g:" + std::to_string(device.sequence() / kGroup);
}
// 'o' observations asked for, 's' states, 'v' latest values.
std::string group_field(DeviceNumber device, char kind) {
    return std::to_string(device.sequence() % kGroup) + kind;
}

std::string template_field(std::string_view tenant, std::string_view id) {
    return std::string(tenant) + "/" + std::string(id);
}

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number out{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return out;
}

// Passes an error on, or what `read` makes of the reply.
template <class T, class Read>
redis::ReplyCallback answer(ObservationStore::Done<T> done, Read read) {
    return [done = std::move(done), read = std::move(read)](Result<redis::Reply> reply) {
        if (!reply) {
            done(reply.error());
        } else {
            done(read(*reply));
        }
    };
}

// Calls `visit` with field and value of an HGETALL.
template <class Visit>
void each_field(const redis::Reply& reply, Visit visit) {
    const auto& items = reply.items();
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) visit(items[i].text(), items[i + 1].text());
}

// The outcome of a script that gives 1 done, 0 `zero`, -1 too many.
auto outcome(Errc zero, std::string zero_text, std::string many_text) {
    return [=](const redis::Reply& reply) -> Result<void> {
        if (reply.integer() == 1) return {};
        if (reply.integer() == 0) return make_error(zero, zero_text);
        return make_error(Errc::resource_exhausted, many_text);
    };
}

Result<void> first_error(const std::vector<Result<redis::Reply>>& replies) {
    for (const auto& reply : replies) {
        if (!reply) return reply.error();
    }
    return {};
}

redis::BatchCallback all_done(ObservationStore::Done<void> done) {
    return [done = std::move(done)](std::vector<Result<redis::Reply>> replies) { done(first_error(replies)); };
}

}  // namespace

RedisStore::RedisStore(redis::Client& client)
    : client_(client),
      intern_(client.script(scripts::kIntern)),
      put_template_(client.script(scripts::kPutTemplate)),
      delete_template_(client.script(scripts::kDeleteTemplate)),
      add_own_(client.script(std::string(scripts::kEntries) + scripts::kAddOwn)),
      remove_own_(client.script(std::string(scripts::kEntries) + scripts::kRemoveOwn)),
      merge_latest_(client.script(std::string(scripts::kEntries) + scripts::kMergeLatest)),
      save_states_(client.script(std::string(scripts::kEntries) + scripts::kSaveStates)) {}

void RedisStore::intern_spec(const std::vector<std::string>& paths, Done<SpecId> done) {
    client_.eval(intern_, {kSpecKey}, {encode_spec(paths)},
                 answer<SpecId>(std::move(done), [](const redis::Reply& reply) -> Result<SpecId> {
                     if (reply.integer() > 0) return static_cast<SpecId>(reply.integer());
                     return make_error(Errc::resource_exhausted, "all observation numbers are taken");
                 }));
}

void RedisStore::load_specs(Done<std::vector<Spec>> done) {
    client_.command({"HGETALL", kSpecKey}, answer<std::vector<Spec>>(std::move(done), [](const redis::Reply& reply) {
                        std::vector<Spec> out;
                        each_field(reply, [&](std::string_view field, std::string_view value) {
                            const auto id = number<SpecId>(field);
                            if (!id) return;
                            if (auto spec = decode_spec(*id, value)) out.push_back(std::move(*spec));
                        });
                        return Result<std::vector<Spec>>(std::move(out));
                    }));
}

void RedisStore::put_template(const Template& entry, bool replace, Done<void> done) {
    client_.eval(put_template_, {kTemplateKey},
                 {template_field(entry.tenant, entry.id), encode_template(entry), replace ? "1" : "0",
                  template_field(entry.tenant, ""), std::to_string(kMaxTemplates)},
                 answer<void>(std::move(done), outcome(Errc::already_exists, "there is a template of this id",
                                                       "the tenant has 1000 templates already")));
}

void RedisStore::delete_template(std::string_view tenant, std::string_view id, Done<void> done) {
    client_.eval(delete_template_, {kTemplateKey}, {template_field(tenant, id)},
                 answer<void>(std::move(done), outcome(Errc::not_found, "there is no such template", "")));
}

void RedisStore::load_templates(Done<TemplateSet> done) {
    client_.command({"HGETALL", kTemplateKey}, answer<TemplateSet>(std::move(done), [](const redis::Reply& reply) {
                        TemplateSet out;
                        each_field(reply, [&](std::string_view field, std::string_view value) {
                            if (field == kVersionField) {
                                out.version = number<std::uint64_t>(value).value_or(0);
                            } else if (auto entry = decode_template(value)) {
                                out.templates.push_back(std::move(*entry));
                            }
                        });
                        std::sort(out.templates.begin(), out.templates.end(), [](const auto& a, const auto& b) {
                            return std::tie(a.tenant, a.id) < std::tie(b.tenant, b.id);
                        });
                        return Result<TemplateSet>(std::move(out));
                    }));
}

void RedisStore::template_version(Done<std::uint64_t> done) {
    client_.command({"HGET", kTemplateKey, kVersionField},
                    answer<std::uint64_t>(std::move(done), [](const redis::Reply& reply) {
                        return Result<std::uint64_t>(number<std::uint64_t>(reply.text()).value_or(0));
                    }));
}

void RedisStore::load_device(DeviceNumber device, Done<DeviceRecord> done) {
    client_.command({"HMGET", group_key(device), group_field(device, 'o'), group_field(device, 's')},
                    answer<DeviceRecord>(std::move(done), [](const redis::Reply& reply) -> Result<DeviceRecord> {
                        const auto& items = reply.items();
                        if (items.size() < 2) return make_error(Errc::internal, "HMGET gave a short answer");
                        return DeviceRecord{decode_owns(items[0].text()), decode_states(items[1].text())};
                    }));
}

void RedisStore::add_own(DeviceNumber device, const OwnObservation& own, Done<void> done) {
    client_.eval(
        add_own_, {group_key(device)},
        {group_field(device, 'o'), own.id, encode_own(own), std::to_string(kMaxOwnObservations)},
        answer<void>(std::move(done), outcome(Errc::already_exists, "the device has an observation of this path",
                                              "the device has 64 observations already")));
}

void RedisStore::remove_own(DeviceNumber device, std::string_view id, Done<void> done) {
    client_.eval(remove_own_, {group_key(device)}, {group_field(device, 'o'), id},
                 answer<void>(std::move(done), outcome(Errc::not_found, "there is no such observation", "")));
}

void RedisStore::save_states(DeviceNumber device, std::span<const ObservationState> states,
                             std::span<const SpecId> gone, Done<void> done) {
    std::vector<std::string> args{group_field(device, 's'), encode_states(states)};
    for (const SpecId spec : gone) args.push_back(spec_key(spec));
    const std::string key = group_key(device);
    const std::string_view keys[] = {key};
    const std::vector<std::string_view> views(args.begin(), args.end());
    client_.eval(save_states_, redis::Args(keys), redis::Args(views),
                 answer<void>(std::move(done), [](const redis::Reply&) { return Result<void>(); }));
}

// One script call for many devices of a partition.
void RedisStore::merge_latest(std::span<const LatestUpdate> updates, Done<void> done) {
    struct Call {
        std::vector<std::string> keys;
        std::vector<std::string> args;
    };
    std::array<Call, identity::kPartitions> calls;
    redis::Batch batch;
    const auto flush = [&](Call& call) {
        if (call.keys.empty()) return;
        const std::vector<std::string_view> keys(call.keys.begin(), call.keys.end());
        const std::vector<std::string_view> args(call.args.begin(), call.args.end());
        batch.eval(merge_latest_, redis::Args(keys), redis::Args(args));
        call = {};
    };
    for (const auto& [device, record] : updates) {
        std::string entries = encode_latest(record);
        if (entries.empty()) continue;
        Call& call = calls[device.partition()];
        call.keys.push_back(group_key(device));
        call.args.push_back(group_field(device, 'v'));
        call.args.push_back(std::move(entries));
        if (call.keys.size() == kMergeDevices) flush(call);
    }
    for (Call& call : calls) flush(call);
    client_.submit(std::move(batch), all_done(std::move(done)));
}

void RedisStore::load_latest(DeviceNumber device, Done<LatestRecord> done) {
    client_.command({"HGET", group_key(device), group_field(device, 'v')},
                    answer<LatestRecord>(std::move(done), [](const redis::Reply& reply) {
                        return Result<LatestRecord>(decode_latest(reply.text()));
                    }));
}

void RedisStore::forget_device(DeviceNumber device, Done<void> done) {
    client_.command(
        {"HDEL", group_key(device), group_field(device, 'o'), group_field(device, 's'), group_field(device, 'v')},
        answer<void>(std::move(done), [](const redis::Reply&) { return Result<void>(); }));
}

std::shared_ptr<ObservationStore> make_redis_store(redis::Client& client) {
    return std::make_shared<RedisStore>(client);
}

}  // namespace lanyard::observation
