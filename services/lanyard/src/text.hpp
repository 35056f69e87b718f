#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lanyard/operations/v1/operation.pb.h"

namespace google::protobuf {
class Message;
class Timestamp;
}  // namespace google::protobuf

namespace lanyard::cli {

// Columns padded to their widest cell, two spaces between; the first row is the heading.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

// "2026-01-31 12:00:00Z", "-" when unset.
std::string format_time(const google::protobuf::Timestamp& time, bool is_set);

// The value as a person writes it: 21.5, true, "text" without quotes, hex for bytes.
std::string format_value(const operations::v1::Node& node);

// Prints a message as one line of JSON with the field names of the contract.
void print_json(const google::protobuf::Message& message);

}  // namespace lanyard::cli
