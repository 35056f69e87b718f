#include "text.hpp"

#include <algorithm>
#include <cstdio>

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "base/bytes.hpp"
#include "base/hex.hpp"
#include "base/json_text.hpp"
#include "lwm2m/value.hpp"
#include "lwm2m_proto/node.hpp"

namespace lanyard::cli {

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        if (widths.size() < row.size()) widths.resize(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 2, ' ');
        }
        text += '\n';
    }
    return text;
}

std::string format_time(const google::protobuf::Timestamp& time, bool is_set) {
    if (!is_set) return "-";
    google::protobuf::Timestamp seconds;
    seconds.set_seconds(time.seconds());
    std::string text = google::protobuf::util::TimeUtil::ToString(seconds);
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text;
}

std::string format_value(const operations::v1::Node& node) {
    const auto value = lwm2m_proto::value_of(node);
    if (!value) return "-";
    if (std::holds_alternative<std::monostate>(*value)) return "-";
    if (std::holds_alternative<lwm2m::Time>(*value)) return format_time(node.time_value(), true);
    if (const auto* bytes = std::get_if<Bytes>(&*value)) return to_hex(*bytes);
    std::string text;
    const auto* number = std::get_if<double>(&*value);
    number != nullptr ? append_number(text, *number) : void(text = lwm2m::to_display(*value));
    return text;
}

void print_json(const google::protobuf::Message& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    std::string text;
    const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
    std::printf("%s\n", status.ok() ? text.c_str() : "{}");
}

}  // namespace lanyard::cli
