#include "errors.hpp"

#include "handles.hpp"

namespace lanyard::kafka {
namespace {

// Found by librdkafka itself: all are negative.
Errc client_errc(rd_kafka_resp_err_t code) {
    switch (code) {
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            return Errc::resource_exhausted;

        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            return Errc::not_found;

        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
            return Errc::deadline_exceeded;

        case RD_KAFKA_RESP_ERR__TRANSPORT:
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        case RD_KAFKA_RESP_ERR__RESOLVE:
        case RD_KAFKA_RESP_ERR__WAIT_COORD:
            return Errc::unavailable;

        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            return Errc::permission_denied;

        case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
        case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        case RD_KAFKA_RESP_ERR__DESTROY:
            return Errc::cancelled;

        case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
            return Errc::aborted;

        case RD_KAFKA_RESP_ERR__INVALID_ARG:
            return Errc::invalid_argument;

        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
            return Errc::unsupported;

        case RD_KAFKA_RESP_ERR__STATE:
        case RD_KAFKA_RESP_ERR__UNKNOWN_GROUP:
            return Errc::failed_precondition;

        default:
            return Errc::internal;
    }
}

// Answered by a broker.
Errc broker_errc(rd_kafka_resp_err_t code) {
    switch (code) {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            return Errc::too_large;

        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            return Errc::not_found;

        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
            return Errc::already_exists;

        case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            return Errc::deadline_exceeded;

        case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
        case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
        case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
        case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
            return Errc::unavailable;

        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            return Errc::permission_denied;

        case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
        case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
        case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            return Errc::aborted;

        case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
        case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
        case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
        case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            return Errc::invalid_argument;

        case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
            return Errc::unsupported;

        case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
            return Errc::failed_precondition;

        default:
            return Errc::internal;
    }
}

}  // namespace

Errc to_errc(rd_kafka_resp_err_t code) {
    return code < 0 ? client_errc(code) : broker_errc(code);
}

Error to_error(rd_kafka_resp_err_t code, std::string_view what) {
    return make_error(to_errc(code), "kafka: " + std::string(what) + ": " + rd_kafka_err2str(code));
}

Result<void> to_result(rd_kafka_resp_err_t code, std::string_view what) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return to_error(code, what);
}

Result<void> to_result(rd_kafka_error_t* error, std::string_view what) {
    if (error == nullptr) return {};
    const ErrorHandle owned(error);
    return make_error(to_errc(rd_kafka_error_code(error)),
                      "kafka: " + std::string(what) + ": " + rd_kafka_error_string(error));
}

}  // namespace lanyard::kafka
