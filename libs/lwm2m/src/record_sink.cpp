#include "record_sink.hpp"

#include "base/utf8.hpp"
#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m {
namespace {

// Text goes on into JSON and protobuf, which both demand UTF-8.
bool is_clean(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return is_utf8(*text);
    if (const auto* links = std::get_if<CoreLink>(&value)) return is_utf8(links->text);
    return true;
}

}  // namespace

std::optional<ValueType> model_type(const ModelView& models, const Path& path) {
    if (path.size() < 3) return std::nullopt;
    const auto resource = models.resource(path[0], path[2]);
    if (!resource || resource->type == ValueType::none) return std::nullopt;
    return resource->type;
}

std::optional<ValueType> RecordSink::type_of(const Path& path) const {
    return model_type(context_.models, path);
}

Result<void> RecordSink::add(const Path& path, Value value, std::optional<UnixMillis> time) {
    if (records_.size() >= kMaxRecords) return make_error(Errc::too_large, "payload: too many values");
    if (context_.confine_to_base && !context_.base.contains(path)) {
        return make_error(Errc::invalid_argument, path.to_string() + " is outside " + context_.base.to_string());
    }
    if (!std::holds_alternative<std::monostate>(value)) {
        if (path.size() < 3) {
            return make_error(Errc::invalid_argument, path.to_string() + ": only resources have a value");
        }
        auto typed = convert(std::move(value), type_of(path).value_or(ValueType::none));
        if (!typed) return make_error(typed.error().code, path.to_string() + ": " + typed.error().message);
        value = std::move(*typed);
        if (!is_clean(value)) return make_error(Errc::invalid_argument, path.to_string() + ": text is not UTF-8");
    }
    records_.push_back({path, std::move(value), time});
    return {};
}

}  // namespace lanyard::lwm2m
