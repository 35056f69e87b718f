#include "lwm2m_proto/node.hpp"

#include <utility>

#include "base/bytes.hpp"
#include "lwm2m_proto/timestamp.hpp"

namespace lanyard::lwm2m_proto {
namespace {

using lwm2m::Value;
using lwm2m::ValueType;
using operations::v1::Node;

struct NodeWriter {
    Node& node;
    void operator()(std::monostate) const { node.clear_value(); }
    void operator()(std::int64_t value) const { node.set_int_value(value); }
    void operator()(std::uint64_t value) const { node.set_uint_value(value); }
    void operator()(double value) const { node.set_double_value(value); }
    void operator()(bool value) const { node.set_bool_value(value); }
    void operator()(const std::string& value) const { node.set_string_value(value); }
    void operator()(const Bytes& value) const { node.set_bytes_value(value.data(), value.size()); }
    void operator()(const lwm2m::Time& value) const {
        *node.mutable_time_value() = seconds_to_timestamp(value.seconds);
    }
    void operator()(const lwm2m::ObjectLink& value) const { node.set_objlnk_value(value.to_string()); }
    void operator()(const lwm2m::CoreLink& value) const { node.set_string_value(value.text); }
};

Result<lwm2m::Record> to_record(const Node& node) {
    auto path = lwm2m::Path::parse(node.path());
    if (!path) return path.error();
    auto value = value_of(node);
    if (!value) return value.error();
    if (lwm2m::type_of(*value) == ValueType::none) return make_error(Errc::invalid_argument, "a node has no value");
    lwm2m::Record record{*path, std::move(*value), std::nullopt};
    if (node.has_measure_time()) {
        const auto time = to_unix_millis(node.measure_time());
        if (!time) return make_error(time.error().code, "measure_time: " + time.error().message);
        record.time = *time;
    }
    return record;
}

}  // namespace

ValueType type_of(const Node& node) {
    switch (node.value_case()) {
        case Node::kDoubleValue:
            return ValueType::floating;
        case Node::kIntValue:
            return ValueType::integer;
        case Node::kUintValue:
            return ValueType::unsigned_integer;
        case Node::kBoolValue:
            return ValueType::boolean;
        case Node::kStringValue:
            return ValueType::string;
        case Node::kBytesValue:
            return ValueType::opaque;
        case Node::kTimeValue:
            return ValueType::time;
        case Node::kObjlnkValue:
            return ValueType::object_link;
        case Node::VALUE_NOT_SET:
            break;
    }
    return ValueType::none;
}

Result<Value> value_of(const Node& node) {
    switch (node.value_case()) {
        case Node::kDoubleValue:
            return Value(node.double_value());
        case Node::kIntValue:
            return Value(std::int64_t{node.int_value()});
        case Node::kUintValue:
            return Value(std::uint64_t{node.uint_value()});
        case Node::kBoolValue:
            return Value(node.bool_value());
        case Node::kStringValue:
            return Value(node.string_value());
        case Node::kBytesValue: {
            const ByteView bytes = as_bytes(node.bytes_value());
            return Value(Bytes(bytes.begin(), bytes.end()));
        }
        case Node::kTimeValue:
            return Value(lwm2m::Time{node.time_value().seconds()});
        case Node::kObjlnkValue: {
            const auto link = lwm2m::ObjectLink::parse(node.objlnk_value());
            if (!link) return link.error();
            return Value(*link);
        }
        case Node::VALUE_NOT_SET:
            break;
    }
    return Value();
}

void set_value(Node& node, const Value& value) {
    std::visit(NodeWriter{node}, value);
}

Result<lwm2m::Records> to_records(const google::protobuf::RepeatedPtrField<Node>& nodes) {
    lwm2m::Records records;
    for (const Node& node : nodes) {
        auto record = to_record(node);
        if (!record) return record.error();
        records.push_back(std::move(*record));
    }
    return records;
}

void to_node(const lwm2m::Record& record, Node& node) {
    node.set_path(record.path.to_string());
    set_value(node, record.value);
    if (record.time) *node.mutable_measure_time() = to_timestamp(*record.time);
}

}  // namespace lanyard::lwm2m_proto
