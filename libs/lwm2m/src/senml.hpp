#pragma once

#include <bitset>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "lwm2m/record.hpp"
#include "record_sink.hpp"

namespace lanyard::lwm2m {

// The fields of a SenML record (RFC 8428 section 4) that mean something to LwM2M; `other` is any field that may be
// ignored. The order is that of the bits of SenmlRecord::seen.
enum class SenmlField : std::uint8_t {
    base_version,
    base_name,
    base_time,
    base_value,
    name,
    time,
    number,
    text,
    boolean,
    data,
    object_link,
    other,
};

// The field of a JSON member or of a text key in CBOR. nullopt: a name that ends with '_' must be understood and is
// not (RFC 8428 section 4.4).
std::optional<SenmlField> senml_field(std::string_view member);

// One record as it stands in a payload, before base values are applied.
struct SenmlRecord {
    std::optional<std::string> base_name;
    std::optional<double> base_time;
    std::optional<Value> base_value;
    std::string name;
    std::optional<double> time;
    Value value;
    std::bitset<16> seen;

    // invalid_argument: a field given twice, a second value, a value of a type that the field does not take.
    Result<void> set(SenmlField field, Value field_value);
};

// Turns SenML records into LwM2M records: base name, time and value go on from record to record, times are resolved
// against the receive time (RFC 8428 sections 4.1 and 4.5.3).
class SenmlResolver {
  public:
    explicit SenmlResolver(RecordSink& sink) : sink_(sink) {}
    Result<void> add(SenmlRecord&& record);

  private:
    [[nodiscard]] Result<Path> path_of(const std::string& name) const;
    [[nodiscard]] Result<std::optional<UnixMillis>> time_of(std::optional<double> time) const;

    RecordSink& sink_;
    std::string base_name_;
    std::optional<double> base_time_;
    std::optional<Value> base_value_;
};

// What an encoder writes for one record: `bn` and `bt` only where they change.
struct SenmlOutput {
    std::optional<std::string> base_name;
    std::string name;
    // Seconds since the epoch.
    std::optional<double> time;
    const Value* value = nullptr;
};

// Splits the paths of records into one base name and relative names. invalid_argument: a float that is not finite.
Result<std::vector<SenmlOutput>> senml_outputs(const Path& base, std::span<const Record> records);

}  // namespace lanyard::lwm2m
