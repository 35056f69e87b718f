#include "device_view.hpp"

#include <charconv>

#include "identity/registration_id.hpp"
#include "identity/resource_name.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"
#include "lwm2m_proto/timestamp.hpp"
#include "node_names.hpp"

namespace lanyard::registry {
namespace {

constexpr int kLabelsMax = 32;
constexpr std::size_t kDisplayNameMax = 128;
constexpr std::size_t kLabelKeyMax = 63;
constexpr std::size_t kLabelValueMax = 255;

v1::Device::State live_state(bool queue_mode, UnixMillis last_seen_ms, const ViewContext& context) {
    const auto window = std::chrono::duration_cast<std::chrono::milliseconds>(context.awake_window).count();
    return queue_mode && context.now_ms - last_seen_ms > window ? v1::Device::STATE_SLEEPING : v1::Device::STATE_ONLINE;
}

void fill(const DeviceRecord& record, const ViewContext& context, v1::Registration& out) {
    out.set_registration_id(identity::format_registration_id(context.key, {record.number, record.generation}));
    out.set_lifetime_seconds(record.lifetime_s);
    out.set_lwm2m_version(record.registration.lwm2m_version);
    out.set_binding(record.registration.binding);
    out.set_queue_mode(record.queue_mode);
    out.set_remote_address(record.registration.remote_address);
    out.set_security_mode(record.registration.security_mode);
    out.set_object_links(record.registration.object_links);
    if (context.nodes) out.set_ingress_instance(std::string(context.nodes->name(record.node)));
    if (record.pledge_s != 0)
        *out.mutable_expire_time() = lwm2m_proto::to_timestamp(std::int64_t{record.pledge_s} * 1000);
    *out.mutable_register_time() = lwm2m_proto::to_timestamp(record.registration.register_ms);
    out.set_generation(record.generation);
    out.set_epoch(record.epoch);
}

class DeviceSubject final : public filter::Subject {
  public:
    explicit DeviceSubject(const v1::Device& device) : device_(device) {}
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const override {
        if (name == "endpoint") return device_.endpoint();
        if (name == "display_name") return device_.display_name();
        if (name == "enabled") return device_.enabled() ? "true" : "false";
        if (name == "state") {
            const std::string& text = v1::Device::State_Name(device_.state());
            return std::string_view(text).substr(std::string_view("STATE_").size());
        }
        const auto label = device_.labels().find(std::string(name.substr(std::string_view("labels.").size())));
        if (label == device_.labels().end()) return std::nullopt;
        return label->second;
    }

  private:
    const v1::Device& device_;
};

bool is_label_key(const std::string& key) {
    static constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    return !key.empty() && key.size() <= kLabelKeyMax && key.find_first_not_of(kAllowed) == std::string::npos;
}

}  // namespace

v1::Device to_device(const DeviceRecord& record, const ViewContext& context) {
    v1::Device out;
    out.set_name(identity::DeviceName{record.tenant, record.endpoint}.resource_name());
    out.set_endpoint(record.endpoint);
    out.set_display_name(record.profile.display_name);
    out.mutable_labels()->insert(record.profile.labels.begin(), record.profile.labels.end());
    const std::int64_t last_seen_ms = std::int64_t{record.last_seen_s} * 1000;
    if (record.registered) {
        out.set_state(live_state(record.queue_mode, last_seen_ms, context));
        fill(record, context, *out.mutable_registration());
    } else {
        out.set_state(record.generation == 0 ? v1::Device::STATE_PROVISIONED : v1::Device::STATE_OFFLINE);
    }
    out.set_enabled(record.enabled);
    *out.mutable_create_time() = lwm2m_proto::to_timestamp(record.create_ms);
    if (record.last_seen_s != 0) *out.mutable_last_seen_time() = lwm2m_proto::to_timestamp(last_seen_ms);
    out.set_etag(etag_of(record.revision));
    out.set_device_number(record.number.value);
    return out;
}

v1::Device to_device(const events::v1::DeviceStateRecord& record, const ViewContext& context) {
    v1::Device out;
    out.set_name(identity::DeviceName{record.tenant(), record.endpoint()}.resource_name());
    out.set_endpoint(record.endpoint());
    out.set_display_name(record.display_name());
    *out.mutable_labels() = record.labels();
    out.set_enabled(record.enabled());
    *out.mutable_create_time() = lwm2m_proto::to_timestamp(record.create_ms());
    out.set_device_number(record.device_number());
    out.set_state(record.state() == "provisioned" ? v1::Device::STATE_PROVISIONED : v1::Device::STATE_OFFLINE);
    if (!record.has_registration()) return out;
    const auto& from = record.registration();
    out.set_state(live_state(from.queue_mode(), record.time_ms(), context));
    v1::Registration& registration = *out.mutable_registration();
    registration.set_registration_id(from.registration_id());
    registration.set_lifetime_seconds(from.lifetime_s());
    registration.set_lwm2m_version(from.lwm2m_version());
    registration.set_binding(from.binding());
    registration.set_queue_mode(from.queue_mode());
    registration.set_remote_address(from.remote_address());
    registration.set_security_mode(from.security_mode());
    registration.set_object_links(from.object_links());
    registration.set_ingress_instance(from.ingress_instance());
    *registration.mutable_register_time() = lwm2m_proto::to_timestamp(from.time_ms());
    registration.set_generation(from.generation());
    registration.set_epoch(from.epoch());
    return out;
}

std::string etag_of(std::uint32_t revision) {
    return "r" + std::to_string(revision);
}

Result<std::uint32_t> parse_etag(const std::string& etag) {
    std::uint32_t revision = 0;
    const char* end = etag.data() + etag.size();
    const bool headed = etag.starts_with("r");
    const auto parsed = std::from_chars(etag.data() + (headed ? 1 : 0), end, revision);
    if (!headed || parsed.ec != std::errc() || parsed.ptr != end) {
        return make_error(Errc::invalid_argument, "the etag is not one of this service");
    }
    return revision;
}

Result<void> check_display_name(const std::string& name) {
    if (name.size() <= kDisplayNameMax) return {};
    return make_error(Errc::invalid_argument, "at most 128 bytes");
}

Result<void> check_labels(const google::protobuf::Map<std::string, std::string>& labels) {
    if (labels.size() > kLabelsMax) return make_error(Errc::invalid_argument, "at most 32 labels");
    for (const auto& [name, value] : labels) {
        if (!is_label_key(name)) return make_error(Errc::invalid_argument, "keys must be [a-z0-9_.-]{1,63}");
        if (value.size() > kLabelValueMax) return make_error(Errc::invalid_argument, "values have at most 255 bytes");
    }
    return {};
}

Result<filter::Filter> parse_device_filter(const std::string& text) {
    return filter::Filter::parse(text, {"endpoint", "display_name", "state", "enabled", "labels.*"});
}

bool matches(const filter::Filter& filter, const v1::Device& device) {
    return filter.matches_everything() || filter.matches(DeviceSubject(device));
}

}  // namespace lanyard::registry
