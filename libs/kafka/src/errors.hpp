#pragma once

#include <string_view>

#include <librdkafka/rdkafka.h>

#include "base/error.hpp"

namespace lanyard::kafka {

// The one table from librdkafka's and the broker's codes to ours.
[[nodiscard]] Errc to_errc(rd_kafka_resp_err_t code);

// "kafka: <what>: <librdkafka's text>".
[[nodiscard]] Error to_error(rd_kafka_resp_err_t code, std::string_view what);
// Takes the error; success when it is null.
[[nodiscard]] Result<void> to_result(rd_kafka_error_t* error, std::string_view what);
[[nodiscard]] Result<void> to_result(rd_kafka_resp_err_t code, std::string_view what);

}  // namespace lanyard::kafka
