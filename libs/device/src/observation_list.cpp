#include "observation_list.hpp"

#include <algorithm>
#include <array>

#include "device/limits.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::device {
namespace {

NotifyRules rules_for(const lwm2m::Path& path, const ResourceTree& tree) {
    std::array<lwm2m::Attributes, lwm2m::Path::kMaxSize> levels;
    for (std::size_t size = 1; size <= path.size(); ++size) levels[size - 1] = tree.attributes(path.prefix(size));
    return effective_rules(std::span(levels).first(path.size()));
}

std::optional<double> number_in(const lwm2m::Records& records, const lwm2m::Path& path) {
    const auto at = std::ranges::find(records, path, &lwm2m::Record::path);
    if (at == records.end()) return std::nullopt;
    if (const auto* value = std::get_if<double>(&at->value)) return *value;
    if (const auto* value = std::get_if<std::int64_t>(&at->value)) return static_cast<double>(*value);
    return std::nullopt;
}

bool changed_enough(const ObservationList::Entry& entry, const lwm2m::Record& now, const ResourceTree& tree) {
    const NotifyRules rules = rules_for(now.path, tree);
    const std::optional<double> notified = number_in(entry.notified, now.path);
    const std::optional<double> previous = number_in(entry.previous, now.path);
    const std::optional<double> current = number_in({now}, now.path);
    if (rules.has_condition() && notified && previous && current) {
        return condition_met(rules, {*notified, *previous, *current});
    }
    const auto before = std::ranges::find(entry.notified, now.path, &lwm2m::Record::path);
    return before == entry.notified.end() || before->value != now.value;
}

}  // namespace

ObservationList::Entry* ObservationList::add(const coap::Token& token, const lwm2m::Path& path,
                                             std::optional<std::uint16_t> accept) {
    remove_token(token);
    if (entries_.size() == kMaxClientObservations) return nullptr;
    Entry entry;
    entry.id = next_id_++;
    entry.token = token;
    entry.path = path;
    entry.accept = accept;
    entries_.push_back(std::move(entry));
    return &entries_.back();
}

void ObservationList::remove_token(const coap::Token& token) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.token == token; });
}

void ObservationList::remove_id(std::uint64_t id) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.id == id; });
}

void ObservationList::remove_mid(std::uint16_t mid) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.last_mid == mid; });
}

ObservationList::Entry* ObservationList::find(std::uint64_t id) {
    const auto at = std::ranges::find(entries_, id, &Entry::id);
    return at == entries_.end() ? nullptr : &*at;
}

void ObservationList::look_at(Entry& entry, const ResourceTree& tree) {
    lwm2m::Records now;
    if (!tree.read(entry.path, now)) return;
    for (const lwm2m::Record& record : now) entry.due = entry.due || changed_enough(entry, record, tree);
    entry.due = entry.due || now.size() != entry.notified.size();
    entry.previous = std::move(now);
}

std::optional<SteadyTime> ObservationList::time_of(const Entry& entry, const ResourceTree& tree) {
    const NotifyRules rules = rules_for(entry.path, tree);
    if (entry.due) return entry.notified_at + std::chrono::seconds(rules.pmin_s);
    if (rules.pmax_s != 0) return entry.notified_at + std::chrono::seconds(rules.pmax_s);
    return std::nullopt;
}

}  // namespace lanyard::device
