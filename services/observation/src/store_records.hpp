#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "observation/types.hpp"

namespace lanyard::observation {

// The Redis records of the service (docs/redis-observation.md). Decoders give nothing for bytes that are no record.

[[nodiscard]] std::string encode_spec(const std::vector<std::string>& paths);
[[nodiscard]] std::optional<Spec> decode_spec(SpecId id, std::string_view bytes);
[[nodiscard]] std::string encode_template(const Template& entry);
[[nodiscard]] std::optional<Template> decode_template(std::string_view bytes);
[[nodiscard]] std::string encode_own(const OwnObservation& own);
[[nodiscard]] std::optional<OwnObservation> decode_own(std::string_view id, std::string_view bytes);

// These three begin with 8 bytes, big-endian: of two records for one field the one with the higher number stays.
[[nodiscard]] std::string encode_state(const ObservationState& state);
[[nodiscard]] std::optional<ObservationState> decode_state(std::string_view bytes);
[[nodiscard]] std::string encode_notify(const LastNotify& notify);
[[nodiscard]] std::optional<LastNotify> decode_notify(std::string_view bytes);
[[nodiscard]] std::string encode_latest(const LatestValue& value);
[[nodiscard]] std::optional<LatestValue> decode_latest(std::string_view path, std::string_view bytes);

}  // namespace lanyard::observation
