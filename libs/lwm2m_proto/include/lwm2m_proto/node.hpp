#pragma once

#include "base/error.hpp"
#include "lanyard/operations/v1/operation.pb.h"
#include "lwm2m/record.hpp"
#include "lwm2m/value.hpp"

namespace lanyard::lwm2m_proto {

// The only place that knows which member of Node holds which type. A CoRE link is a string there and comes back as one.

// `none` when the node has no value.
[[nodiscard]] lwm2m::ValueType type_of(const operations::v1::Node& node);
// No value when the node has none. invalid_argument: an object link that is none.
[[nodiscard]] Result<lwm2m::Value> value_of(const operations::v1::Node& node);
// Leaves the node without a value when `value` is none. Strings must be UTF-8, as decoded ones are.
void set_value(operations::v1::Node& node, const lwm2m::Value& value);

// With path and time of measurement. invalid_argument: a path or an object link that is none, no value.
[[nodiscard]] Result<lwm2m::Records> to_records(const google::protobuf::RepeatedPtrField<operations::v1::Node>& nodes);
void to_node(const lwm2m::Record& record, operations::v1::Node& node);

}  // namespace lanyard::lwm2m_proto
