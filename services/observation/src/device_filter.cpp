#include "device_filter.hpp"

#include <optional>
#include <string>

namespace lanyard::observation {
namespace {

constexpr std::string_view kLabelPrefix = "labels.";

class DeviceSubject final : public filter::Subject {
  public:
    explicit DeviceSubject(const DeviceInfo& device) : device_(device) {}
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const override {
        if (name == "endpoint") return device_.endpoint;
        if (!name.starts_with(kLabelPrefix)) return {};
        const auto found = device_.labels.find(std::string(name.substr(kLabelPrefix.size())));
        if (found == device_.labels.end()) return {};
        return found->second;
    }

  private:
    const DeviceInfo& device_;
};

}  // namespace

Result<DeviceFilter> DeviceFilter::parse(std::string_view text) {
    auto parsed = filter::Filter::parse(text, {"endpoint", "labels.*"});
    if (!parsed) return parsed.error();
    DeviceFilter out;
    out.filter_ = std::move(*parsed);
    return out;
}

bool DeviceFilter::matches(const DeviceInfo& device) const {
    return filter_.matches_everything() || filter_.matches(DeviceSubject(device));
}

}  // namespace lanyard::observation
