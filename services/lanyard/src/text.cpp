#include "text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "base/bytes.hpp"
#include "base/hex.hpp"

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
    using operations::v1::Node;
    switch (node.value_case()) {
        case Node::kDoubleValue: {
            std::array<char, 32> text{};  // the shortest form that reads back the same
            const auto end = std::to_chars(text.data(), text.data() + text.size(), node.double_value()).ptr;
            return {text.data(), end};
        }
        case Node::kIntValue:
            return std::to_string(node.int_value());
        case Node::kUintValue:
            return std::to_string(node.uint_value());
        case Node::kBoolValue:
            return node.bool_value() ? "true" : "false";
        case Node::kStringValue:
            return node.string_value();
        case Node::kBytesValue:
            return to_hex(as_bytes(node.bytes_value()));
        case Node::kTimeValue:
            return format_time(node.time_value(), true);
        case Node::kObjlnkValue:
            return node.objlnk_value();
        case Node::VALUE_NOT_SET:
            break;
    }
    return "-";
}

std::string_view type_name(const operations::v1::Node& node) {
    using operations::v1::Node;
    switch (node.value_case()) {
        case Node::kDoubleValue:
            return "float";
        case Node::kIntValue:
            return "integer";
        case Node::kUintValue:
            return "unsigned";
        case Node::kBoolValue:
            return "boolean";
        case Node::kStringValue:
            return "string";
        case Node::kBytesValue:
            return "opaque";
        case Node::kTimeValue:
            return "time";
        case Node::kObjlnkValue:
            return "objlnk";
        case Node::VALUE_NOT_SET:
            break;
    }
    return "none";
}

void print_json(const google::protobuf::Message& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    std::string text;
    const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
    std::printf("%s\n", status.ok() ? text.c_str() : "{}");
}

}  // namespace lanyard::cli
