#include "redis/reply.hpp"

namespace lanyard::redis {

Reply Reply::integer(std::int64_t value) {
    Reply reply;
    reply.type_ = Type::integer;
    reply.integer_ = value;
    return reply;
}

Reply Reply::text(Type type, std::string bytes) {
    Reply reply;
    reply.type_ = type;
    reply.text_ = std::move(bytes);
    return reply;
}

Reply Reply::array(std::vector<Reply> items) {
    Reply reply;
    reply.type_ = Type::array;
    reply.items_ = std::move(items);
    return reply;
}

}  // namespace lanyard::redis
