#include "convert.hpp"

#include <array>

#include <hiredis/hiredis.h>

namespace lanyard::redis {
namespace {

struct Mapping {
    std::string_view prefix;
    Errc code;
};
constexpr std::array kMappings{
    Mapping{"LOADING ", Errc::unavailable},      Mapping{"BUSY ", Errc::unavailable},
    Mapping{"MASTERDOWN ", Errc::unavailable},   Mapping{"CLUSTERDOWN ", Errc::unavailable},
    Mapping{"TRYAGAIN ", Errc::unavailable},     Mapping{"READONLY ", Errc::unavailable},
    Mapping{"MISCONF ", Errc::unavailable},      Mapping{"NOREPLICAS ", Errc::unavailable},
    Mapping{"OOM ", Errc::resource_exhausted},   Mapping{"NOAUTH ", Errc::permission_denied},
    Mapping{"NOPERM ", Errc::permission_denied}, Mapping{"WRONGPASS ", Errc::permission_denied},
};

// hiredis parses at most 7 levels (REDIS_READER_STACK), so the recursion is bounded by it.
Reply copy(const redisReply& from) {
    const auto text = [&from] { return std::string(from.str, from.len); };
    switch (from.type) {
        case REDIS_REPLY_INTEGER:
            return Reply::integer(from.integer);
        case REDIS_REPLY_STRING:
            return Reply::text(Reply::Type::string, text());
        case REDIS_REPLY_STATUS:
            return Reply::text(Reply::Type::status, text());
        case REDIS_REPLY_ERROR:
            return Reply::text(Reply::Type::error, text());
        case REDIS_REPLY_ARRAY: {
            std::vector<Reply> items;
            items.reserve(from.elements);
            for (std::size_t i = 0; i < from.elements; ++i) items.push_back(copy(*from.element[i]));
            return Reply::array(std::move(items));
        }
        default:
            return {};
    }
}

}  // namespace

Error server_error(std::string_view text) {
    for (const auto& mapping : kMappings) {
        if (text.starts_with(mapping.prefix)) return make_error(mapping.code, "redis: " + std::string(text));
    }
    return make_error(Errc::internal, "redis: " + std::string(text));
}

Result<Reply> convert(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_ERROR) return server_error(std::string_view(reply.str, reply.len));
    return copy(reply);
}

}  // namespace lanyard::redis
