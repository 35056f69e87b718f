#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace lanyard::filter {

enum class TokenKind : std::uint8_t { end, word, text, equals, not_equals, has, open, close };

struct Token {
    TokenKind kind = TokenKind::end;
    std::string text;          // of words and quoted texts, without quotes and escapes
    std::size_t position = 0;  // byte offset of its first character
};

// Splits a filter text into tokens, one call each. Allocates only what the text holds.
class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}
    [[nodiscard]] Result<Token> next();

  private:
    [[nodiscard]] Result<Token> quoted();
    [[nodiscard]] Token word();

    std::string_view text_;
    std::size_t at_ = 0;
};

// invalid_argument: "filter, position 7: ...".
[[nodiscard]] Error error_at(std::size_t position, std::string_view what);

}  // namespace lanyard::filter
