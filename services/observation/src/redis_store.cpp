#include "redis_store.hpp"

#include <algorithm>
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

std::string device_key(DeviceNumber device, char kind) {
    std::string key = "obs:{p" + std::to_string(device.partition()) + "}:";
    key.push_back(kind);
    return key + ":" + std::to_string(device.value);
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

// Fields and records that are appended for one EVAL, and the views of them.
class Arguments {
  public:
    void add(std::string text) { texts_.push_back(std::move(text)); }
    [[nodiscard]] bool empty() const { return texts_.empty(); }
    [[nodiscard]] std::vector<std::string_view> views() const { return {texts_.begin(), texts_.end()}; }

  private:
    std::vector<std::string> texts_;
};

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
      add_own_(client.script(scripts::kAddOwn)),
      merge_(client.script(scripts::kMerge)),
      merge_states_(client.script(scripts::kMergeStates)) {}

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
    client_.command(
        {"HGETALL", device_key(device, 'd')}, answer<DeviceRecord>(std::move(done), [](const redis::Reply& reply) {
            DeviceRecord out;
            each_field(reply, [&](std::string_view field, std::string_view value) {
                if (field.starts_with("o:")) {
                    if (auto own = decode_own(field.substr(2), value)) out.own.push_back(std::move(*own));
                } else if (auto state = decode_state(value)) {
                    out.states.push_back(std::move(*state));
                }
            });
            std::sort(out.own.begin(), out.own.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
            std::sort(out.states.begin(), out.states.end(),
                      [](const auto& a, const auto& b) { return a.spec < b.spec; });
            return Result<DeviceRecord>(std::move(out));
        }));
}

void RedisStore::add_own(DeviceNumber device, const OwnObservation& own, Done<void> done) {
    client_.eval(
        add_own_, {device_key(device, 'd')}, {"o:" + own.id, encode_own(own), std::to_string(kMaxOwnObservations)},
        answer<void>(std::move(done), outcome(Errc::already_exists, "the device has an observation of this path",
                                              "the device has 64 observations already")));
}

void RedisStore::remove_own(DeviceNumber device, std::string_view id, Done<void> done) {
    client_.command({"HDEL", device_key(device, 'd'), "o:" + std::string(id)},
                    answer<void>(std::move(done), outcome(Errc::not_found, "there is no such observation", "")));
}

void RedisStore::save_states(DeviceNumber device, std::span<const ObservationState> states,
                             std::span<const SpecId> gone, Done<void> done) {
    const std::string key = device_key(device, 'd');
    redis::Batch batch;
    Arguments erased;
    for (const SpecId spec : gone) erased.add("s:" + std::to_string(spec));
    if (!erased.empty()) {
        std::vector<std::string_view> args{"HDEL", key};
        const auto fields = erased.views();
        args.insert(args.end(), fields.begin(), fields.end());
        batch.add(redis::Args(args));
    }
    Arguments records;
    for (const ObservationState& state : states) {
        records.add("s:" + std::to_string(state.spec));
        records.add(encode_state(state));
    }
    if (!records.empty()) {
        const std::string_view keys[] = {key};
        batch.eval(merge_states_, redis::Args(keys), redis::Args(records.views()));
    }
    client_.submit(std::move(batch), all_done(std::move(done)));
}

void RedisStore::merge_latest(std::span<const LatestUpdate> updates, Done<void> done) {
    redis::Batch batch;
    for (const auto& [device, record] : updates) {
        Arguments records;
        for (const LatestValue& value : record.values) {
            records.add(value.path);
            records.add(encode_latest(value));
        }
        for (const LastNotify& notify : record.notifies) {
            records.add("#" + std::to_string(notify.spec));
            records.add(encode_notify(notify));
        }
        if (records.empty()) continue;
        const std::string key = device_key(device, 'v');
        const std::string_view keys[] = {key};
        batch.eval(merge_, redis::Args(keys), redis::Args(records.views()));
    }
    client_.submit(std::move(batch), all_done(std::move(done)));
}

void RedisStore::load_latest(DeviceNumber device, Done<LatestRecord> done) {
    client_.command({"HGETALL", device_key(device, 'v')},
                    answer<LatestRecord>(std::move(done), [](const redis::Reply& reply) {
                        LatestRecord out;
                        each_field(reply, [&](std::string_view field, std::string_view value) {
                            if (field.starts_with('#')) {
                                if (auto notify = decode_notify(value)) out.notifies.push_back(*notify);
                            } else if (auto latest = decode_latest(field, value)) {
                                out.values.push_back(std::move(*latest));
                            }
                        });
                        std::sort(out.values.begin(), out.values.end(),
                                  [](const auto& a, const auto& b) { return a.path < b.path; });
                        std::sort(out.notifies.begin(), out.notifies.end(),
                                  [](const auto& a, const auto& b) { return a.spec < b.spec; });
                        return Result<LatestRecord>(std::move(out));
                    }));
}

void RedisStore::forget_device(DeviceNumber device, Done<void> done) {
    redis::Batch batch;
    batch.add({"DEL", device_key(device, 'd')});
    batch.add({"DEL", device_key(device, 'v')});
    client_.submit(std::move(batch), all_done(std::move(done)));
}

std::shared_ptr<ObservationStore> make_redis_store(redis::Client& client) {
    return std::make_shared<RedisStore>(client);
}

}  // namespace lanyard::observation
