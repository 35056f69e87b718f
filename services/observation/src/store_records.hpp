#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "observation/types.hpp"

namespace lanyard::observation {

// The Redis records of the service (docs/redis-observation.md). Decoders give nothing for bytes that are no record.

[[nodiscard]] std::string encode_spec(const std::vector<std::string>& paths);
[[nodiscard]] std::optional<Spec> decode_spec(SpecId id, std::string_view bytes);
[[nodiscard]] std::string encode_template(const Template& entry);
[[nodiscard]] std::optional<Template> decode_template(std::string_view bytes);

// What is kept of one device is three texts of entries; scripts merge them by their keys (redis_scripts.hpp).
// Observations that somebody asked for, by their id, without an order.
[[nodiscard]] std::string encode_own(const OwnObservation& own);
[[nodiscard]] std::vector<OwnObservation> decode_owns(std::string_view text);

// States by spec. Order: generation, then the time at which the device said so.
[[nodiscard]] std::string spec_key(SpecId spec);
[[nodiscard]] std::string encode_states(std::span<const ObservationState> states);
[[nodiscard]] std::vector<ObservationState> decode_states(std::string_view text);

// Latest values by path and last notifications by spec. Order: a time in Unix milliseconds, of the measurement or of
// the receipt.
[[nodiscard]] std::string encode_latest(const LatestRecord& record);
[[nodiscard]] LatestRecord decode_latest(std::string_view text);

}  // namespace lanyard::observation
