#include "lexer.hpp"

namespace lanyard::filter {
namespace {

bool is_word_character(char c) {
    static constexpr std::string_view kOthers = "_-./:+@*";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
}

}  // namespace

Error error_at(std::size_t position, std::string_view what) {
    return make_error(Errc::invalid_argument,
                      "filter, position " + std::to_string(position) + ": " + std::string(what));
}

Result<Token> Lexer::next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
    if (at_ == text_.size()) return Token{TokenKind::end, {}, at_};
    const std::size_t start = at_;
    const char c = text_[at_];
    switch (c) {
        case '(':
            ++at_;
            return Token{TokenKind::open, {}, start};
        case ')':
            ++at_;
            return Token{TokenKind::close, {}, start};
        case '=':
            ++at_;
            return Token{TokenKind::equals, {}, start};
        case ':':
            ++at_;
            return Token{TokenKind::has, {}, start};
        case '!':
            if (text_.substr(at_, 2) != "!=") return error_at(start, "'!' must be followed by '='");
            at_ += 2;
            return Token{TokenKind::not_equals, {}, start};
        case '"':
            return quoted();
        default:
            break;
    }
    if (!is_word_character(c)) return error_at(start, "unexpected character");
    return word();
}

Result<Token> Lexer::quoted() {
    Token token{TokenKind::text, {}, at_};
    for (++at_; at_ < text_.size(); ++at_) {
        char c = text_[at_];
        if (c == '"') {
            ++at_;
            return token;
        }
        if (c == '\\') {
            ++at_;
            if (at_ == text_.size()) break;
            c = text_[at_];
            if (c != '"' && c != '\\') return error_at(at_, "only \\\" and \\\\ may be escaped");
        }
        token.text.push_back(c);
    }
    return error_at(token.position, "the quoted value does not end");
}

// A word ends at a colon, which is a comparator: values that hold one must be quoted.
Token Lexer::word() {
    Token token{TokenKind::word, {}, at_};
    while (at_ < text_.size() && is_word_character(text_[at_]) && text_[at_] != ':') token.text.push_back(text_[at_++]);
    return token;
}

}  // namespace lanyard::filter
