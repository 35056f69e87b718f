#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lanyard::redis {

// What the server answered, as a value that owns its bytes (RESP2 types).
//
// An error reply at the top level never gets here: the client turns it into an Error (redis/client.hpp). An
// `error` inside an array is kept, as EXEC and scripts produce it. Accessors of another type than the reply's
// give the empty value (0, "", no items), so that a handler may read first and judge later.
class Reply {
  public:
    enum class Type : std::uint8_t { nil, integer, string, status, error, array };

    Reply() = default;
    static Reply integer(std::int64_t value);
    static Reply text(Type type, std::string bytes);
    static Reply array(std::vector<Reply> items);

    [[nodiscard]] Type type() const { return type_; }
    [[nodiscard]] bool is_nil() const { return type_ == Type::nil; }
    [[nodiscard]] bool is_error() const { return type_ == Type::error; }
    [[nodiscard]] bool is_array() const { return type_ == Type::array; }
    // The number of an integer reply.
    [[nodiscard]] std::int64_t integer() const { return integer_; }
    // The bytes of a string, status or error reply.
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::string take_text() { return std::move(text_); }
    // The elements of an array reply.
    [[nodiscard]] const std::vector<Reply>& items() const { return items_; }
    [[nodiscard]] std::vector<Reply>& items() { return items_; }

  private:
    Type type_ = Type::nil;
    std::int64_t integer_ = 0;
    std::string text_;
    std::vector<Reply> items_;
};

}  // namespace lanyard::redis
